"""Discounts as amounts, tax, an order's shipping, line ids and other columns.

Random deliveries, each built as a change, against figures computed from scratch.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest

from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_builds_equal_the_oracle import assert_nothing_left_for_a_full_build

HEADER = (
    "Order ID,Line,Product ID,Date of Sale,Quantity Sold,Unit Price,Discount,Shipping Cost,"
    "Tax,Tax Rate,campaign"
)
TILL = {
    "source": "till",
    "columns": {"line_id": "Line"},
    "discount": "amount_per_line",
    "shipping": "per_order",
    "prices_include_tax": True,
    "extra": ("campaign",),
}
SIX = Decimal("0.000001")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Sold:
    """One line of a file of the till."""

    order: str
    line: str
    product: str
    day: date
    quantity: int
    price: Decimal
    discount: Decimal
    shipping: Decimal | None
    tax: Decimal | None
    rate: Decimal | None
    campaign: str

    def text(self, *, is_broken: bool = False) -> str:
        blank = [("" if value is None else str(value)) for value in (self.shipping, self.tax, self.rate)]
        day = "soon" if is_broken else self.day.isoformat()
        numbers = [str(self.quantity), str(self.price), str(self.discount)]
        return ",".join([self.order, self.line, self.product, day, *numbers, *blank, self.campaign])

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """Gross revenue, discounts, returns, net revenue and tax."""
        listed = abs(self.quantity) * self.price
        paid = listed - self.discount
        if self.tax is not None:
            tax = abs(self.tax)
            gross = _half_up(Fraction(listed) * Fraction(paid - tax) / Fraction(paid)) if paid else listed
            net = paid - tax
        else:
            assert self.rate is not None
            gross = _half_up(Fraction(listed) / Fraction(1 + self.rate))
            net = gross - _half_up(Fraction(self.discount) / Fraction(1 + self.rate))
            tax = paid - net
        assert net + tax == paid
        if self.quantity > 0:
            return gross, gross - net, ZERO, net, tax
        return ZERO, ZERO, net, -net, -tax


def _half_up(value: Fraction) -> Decimal:
    return Decimal(floor(value * 1_000_000 + Fraction(1, 2))).scaleb(-6)


Live = dict[tuple[str, str], tuple[Sold, int]]


def counted_shipping(live: Live) -> dict[tuple[str, str], Decimal]:
    """What each line counts: its order's shipping on the newest line that states it, sales before returns."""
    by_order: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for (order, line), (sold, batch) in live.items():
        if sold.shipping is not None:
            by_order[order].append((sold.quantity < 0, -batch, -sold.shipping, line))
    counted = dict.fromkeys(live, ZERO)
    for order, stated in by_order.items():
        *_, shipping, line = min(stated)
        counted[order, line] = -shipping
    return counted


def delivered(live: Live, lines: list[Sold], batch: int, kept: set[tuple[str, str]], *, is_all: bool) -> Live:
    """The live lines after a delivery; a line that repeats what was known keeps where it came from."""
    found = {(sold.order, sold.line): sold for sold in lines}
    after = {} if is_all else dict(live)
    after |= {key: live[key] for key in kept if key in live}
    for key, sold in found.items():
        after[key] = live[key] if key in live and live[key][0] == sold else (sold, batch)
    return after


def some_line(dice: random.Random, order: str, line: str) -> Sold:
    price = Decimal(dice.randint(0, 99999)) / dice.choice([100, 1000, 1_000_000])
    quantity = dice.choice([-2, -1, 1, 2, 3])
    listed = abs(quantity) * price
    discount = dice.choice([ZERO, (listed / 3).quantize(SIX, "ROUND_DOWN"), listed])
    tax = ((listed - discount) * Decimal("0.16")).quantize(SIX, "ROUND_DOWN")
    has_amount = dice.random() < 0.5
    return Sold(
        order=order,
        line=line,
        product=f"P{dice.randint(1, 3)}",
        day=date(2024, 1, 1) + timedelta(days=dice.randint(0, 60)),
        quantity=quantity,
        price=price,
        discount=discount,
        shipping=dice.choice([None, ZERO, Decimal("4.95"), Decimal("4.95"), Decimal("7.5")]),
        tax=(-tax if quantity < 0 else tax) if has_amount else None,
        rate=None if has_amount else dice.choice([ZERO, Decimal("0.19"), Decimal("0.075")]),
        campaign=dice.choice(["", "Spring", "Summer"]),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_every_delta_leaves_what_a_computation_from_scratch_gives(workbench: Workbench, seed: int) -> None:
    dice = random.Random(seed)
    live: Live = {}
    for delivery in range(5):
        is_all = delivery in (2, 4)
        keys = {(f"O{dice.randint(1, 9)}", f"L{dice.randint(1, 4)}") for _ in range(20)}
        lines = [
            live[key][0] if key in live and dice.random() < 0.5 else some_line(dice, *key)
            for key in sorted(keys)
        ]
        broken = {(sold.order, sold.line) for sold in lines if dice.random() < 0.1}
        text = "\n".join([HEADER, *(s.text(is_broken=(s.order, s.line) in broken) for s in lines)])
        mode = "overwrite" if is_all else "append"
        [result] = workbench.land(text, mode=mode, force=True, **TILL)
        assert (result.status, result.rows_quarantined) == ("landed", len(broken))
        good = [sold for sold in lines if (sold.order, sold.line) not in broken]
        live = delivered(live, good, result.batch_id or 0, broken, is_all=is_all)
        workbench.build()
        assert_published(workbench, live)
    assert_nothing_left_for_a_full_build(workbench)
    assert_published(workbench, live)


def assert_published(workbench: Workbench, live: Live) -> None:
    counted = counted_shipping(live)
    expected = {
        (order, f"#{line}#"): (
            sold.product, sold.day, sold.quantity, sold.discount, *sold.amounts, counted[order, line],
            {"campaign": sold.campaign} if sold.campaign else None, batch,
        )
        for (order, line), (sold, batch) in live.items()
    }  # fmt: skip
    found = workbench.rows(
        """
        select
            order_id, line_key, product_id, sale_date, quantity, discount_amount, gross_revenue, discounts,
            returns, net_revenue, tax, shipping, extra, batch_id
        from core.fct_order_lines
        """
    )
    assert {row[:2]: row[2:] for row in found} == expected
    days: dict[date, list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
    for key, (sold, _) in live.items():
        gross, _, _, net, tax = sold.amounts
        days[sold.day] = [a + b for a, b in zip(days[sold.day], (gross, net, tax, counted[key]), strict=True)]
    rows = workbench.rows(
        "select sale_date, sum(gross_revenue), sum(net_revenue), sum(tax), sum(shipping) "
        "from marts.revenue_daily group by 1"
    )
    assert {row[0]: list(row[1:]) for row in rows} == dict(days)
    orders = workbench.rows("select order_id, sum(shipping) from core.fct_order_lines group by order_id")
    assert dict(orders) == {
        order: sum((counted[key] for key in live if key[0] == order), ZERO) for order, _ in live
    }


def one_line(**changed: Any) -> Sold:
    sold = Sold(
        "A", "1", "P1", date(2024, 3, 1), 1, Decimal(119), ZERO, Decimal(5), None, Decimal("0.19"), ""
    )
    return replace(sold, **changed)


def land(workbench: Workbench, *lines: Sold) -> None:
    [result] = workbench.land("\n".join([HEADER, *(sold.text() for sold in lines)]), **TILL)
    assert result.status == "landed"
    workbench.build()


def shipping_by_line(workbench: Workbench) -> list[tuple[Any, ...]]:
    return workbench.rows("select line_key, shipping from core.fct_order_lines order by 1")


def test_a_correction_of_the_product_replaces_the_line_that_its_line_id_names(workbench: Workbench) -> None:
    land(workbench, one_line(), one_line(line="2"))
    land(workbench, one_line(product="P2"))
    assert workbench.rows(
        "select line_key, product_id, net_revenue from core.fct_order_lines order by 1"
    ) == [
        ("#1#", "P2", 100),
        ("#2#", "P1", 100),
    ]
    assert workbench.rows("select product_id, units from marts.product_revenue_monthly order by 1") == [
        ("P1", 1),
        ("P2", 1),
    ]


def test_an_orders_shipping_is_counted_once_although_a_part_of_it_comes_later(workbench: Workbench) -> None:
    land(workbench, one_line(), one_line(line="2"))
    assert shipping_by_line(workbench) == [("#1#", 5), ("#2#", 0)]
    land(workbench, one_line(line="3"))
    assert shipping_by_line(workbench) == [("#1#", 0), ("#2#", 0), ("#3#", 5)]
    land(workbench, one_line(line="1", shipping=Decimal(8)))
    assert shipping_by_line(workbench) == [("#1#", 8), ("#2#", 0), ("#3#", 0)]
    assert workbench.rows("select sum(shipping) from marts.revenue_daily") == [(8,)]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_changed_other_column_is_a_change_of_the_line(workbench: Workbench) -> None:
    land(workbench, one_line(campaign="Spring"))
    land(workbench, one_line(campaign="Summer"))
    assert workbench.rows("select extra, batch_id from core.fct_order_lines") == [({"campaign": "Summer"}, 2)]
