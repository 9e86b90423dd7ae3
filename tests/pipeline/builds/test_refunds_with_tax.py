"""Refunds give back net and tax, in the proportion of each line, and a whole refund leaves neither."""

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_refunds import REFUNDS, assert_a_full_build_agrees, statuses

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Discount,Tax,Tax Rate\n"
FILLER = "".join(f"X{number},Z,2024-01-01,1,1,0,0,\n" for number in range(60))
INCLUDED: dict[str, Any] = {"source": "with", "prices_include_tax": True}
ON_TOP: dict[str, Any] = {"source": "without"}


def given_back(workbench: Workbench, source: str) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """Returns and tax of a source's refund lines, by refund and product."""
    rows = workbench.rows(
        "select refund_id, product_id, returns, tax, net_revenue from core.fct_order_lines"
        f" where refund_id is not null and source = '{source}'"
    )
    assert all(returned == -net for _, _, returned, _, net in rows)
    return {row[:2]: row[2:4] for row in rows}


def left(workbench: Workbench, source: str) -> dict[tuple[str, str], tuple[Decimal, ...]]:
    """Net revenue and tax of each product of each order, all its lines together."""
    rows = workbench.rows(
        "select order_id, product_id, sum(net_revenue), sum(tax) from core.fct_order_lines"
        f" where source = '{source}' and order_id not like 'X%' group by order_id, product_id"
    )
    return {row[:2]: row[2:] for row in rows}


def exact(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


NOTHING = exact("0", "0")


def test_of_prices_that_include_the_tax_the_amount_includes_it_too(workbench: Workbench) -> None:
    workbench.land(
        HEADER
        + "1,A,2024-01-10,3,11.90,0,,0.19\n"  # 30.00 and 5.70
        + "1,B,2024-01-10,1,10.70,0,,0.07\n"  # 10.00 and 0.70
        + "2,A,2024-01-10,3,11.90,0,,0.19\n"
        + "3,A,2024-01-10,1,20,0.5,1,\n"  # 9.00 and 1.00
        + FILLER,
        **INCLUDED,
    )
    workbench.build()
    workbench.land(
        REFUNDS
        + "R1,1,,46.40,,2024-02-01\n"
        + "R2,2,A,,1,2024-02-01\nR3,2,A,11.90,,2024-02-02\nR4,2,A,,1,2024-02-03\n"
        + "R5,3,,3.50,,2024-02-01\nR6,3,,6.51,,2024-02-02\nR7,3,,6.50,,2024-02-03\n",
        feed="refunds",
        source="with",
    )
    assert not workbench.build().is_full
    assert given_back(workbench, "with") == {
        ("R1", "A"): exact("30", "-5.70"),
        ("R1", "B"): exact("10", "-0.70"),
        ("R2", "A"): exact("10", "-1.90"),
        ("R3", "A"): exact("10", "-1.90"),
        ("R4", "A"): exact("10", "-1.90"),
        ("R5", "A"): exact("3.15", "-0.35"),
        ("R7", "A"): exact("5.85", "-0.65"),
    }
    assert left(workbench, "with") == {
        ("1", "A"): NOTHING,
        ("1", "B"): NOTHING,
        ("2", "A"): NOTHING,
        ("3", "A"): NOTHING,
    }
    assert statuses(workbench)["R1"] == ("applied", None, Decimal("46.40"))
    assert statuses(workbench)["R6"] == ("refused", "refund_exceeds_paid", None)
    assert workbench.rows(
        "select sale_date, returns, tax from marts.revenue_daily where returns <> 0 order by sale_date"
    ) == [
        (date(2024, 2, 1), *exact("53.15", "-8.65")),
        (date(2024, 2, 2), *exact("10", "-1.90")),
        (date(2024, 2, 3), *exact("15.85", "-2.55")),
    ]
    assert_a_full_build_agrees(workbench)


def test_of_prices_without_the_tax_it_comes_back_on_top(workbench: Workbench) -> None:
    workbench.land(
        HEADER
        + "1,A,2024-01-10,2,10,0,,0.19\n"
        + "2,A,2024-01-10,3,10,0,1,\n"
        + "3,A,2024-01-10,1,10,0,1,\n3,A,2024-01-11,-1,4,0,-0.25,\n"
        + FILLER,
        **ON_TOP,
    )
    workbench.build()
    workbench.land(
        REFUNDS
        + "R1,1,A,,1,2024-02-01\nR2,1,,10.01,,2024-02-02\nR3,1,,10,,2024-02-03\n"
        + "R4,2,,10,,2024-02-01\nR5,2,,10,,2024-02-02\nR6,2,,10,,2024-02-03\n"
        + "R7,3,,6,,2024-02-03\n",
        feed="refunds",
        source="without",
    )
    assert not workbench.build().is_full
    assert given_back(workbench, "without") == {
        ("R1", "A"): exact("10", "-1.90"),
        ("R3", "A"): exact("10", "-1.90"),
        ("R4", "A"): exact("10", "-0.333333333333"),
        ("R5", "A"): exact("10", "-0.333333333334"),
        ("R6", "A"): exact("10", "-0.333333333333"),
        # In the line's own proportion, whatever the return said of its tax.
        ("R7", "A"): exact("6", "-0.60"),
    }
    assert statuses(workbench)["R2"] == ("refused", "refund_exceeds_paid", None)
    assert left(workbench, "without") == {
        ("1", "A"): NOTHING,
        ("2", "A"): NOTHING,
        ("3", "A"): exact("0", "0.15"),
    }
    assert_a_full_build_agrees(workbench)


def test_each_refund_is_spread_over_what_the_ones_before_it_have_left(workbench: Workbench) -> None:
    pair = "{0},A,2024-01-10,1,119,0,,0.19\n{0},B,2024-01-10,1,107,0,,0.07\n"  # 100 and 19, 100 and 7
    workbench.land(
        HEADER
        + "".join(pair.format(order) for order in "123")
        + "2,B,2024-01-11,-1,107,0,,0.07\n"
        + "4,A,2024-01-10,1,119,0,,0.19\n4,A,2024-01-11,-1,118,0,0,\n"
        + FILLER,
        **INCLUDED,
    )
    workbench.land(HEADER + "5,A,2024-01-10,2,10,0,,\n5,B,2024-01-10,1,20,0,,\n" + FILLER, **ON_TOP)
    workbench.build()
    workbench.land(
        REFUNDS
        + "R1,1,A,,1,2024-02-01\nR2,1,,107,,2024-02-02\n"
        + "R3,2,,119,,2024-02-01\n"
        # 107 x 119 / 226 = 56.3407, 107 x 107 / 226 = 50.6592: cut to cents, the rest to the larger.
        + "R4,3,,107,,2024-02-01\nR5,3,A,62.66,,2024-02-02\nR6,3,A,62.65,,2024-02-03\n"
        + "R7,4,,1,,2024-02-01\n",
        feed="refunds",
        source="with",
    )
    workbench.land(REFUNDS + "R8,5,A,,2,2024-02-01\nR9,5,,10,,2024-02-02\n", feed="refunds", source="without")
    assert not workbench.build().is_full
    net_of_r4 = round(100 * Decimal("56.35") / 119, 12)
    assert given_back(workbench, "with") == {
        ("R1", "A"): exact("100", "-19"),
        ("R2", "B"): exact("100", "-7"),
        ("R3", "A"): exact("100", "-19"),
        ("R4", "A"): (net_of_r4, net_of_r4 - Decimal("56.35")),
        ("R4", "B"): exact("47.336448598131", "-3.313551401869"),
        ("R6", "A"): (100 - net_of_r4, Decimal("56.35") - net_of_r4 - 19),
        ("R7", "A"): exact("0.840336134454", "-0.159663865546"),
    }
    assert statuses(workbench)["R5"] == ("refused", "refund_exceeds_paid", None)
    assert given_back(workbench, "without") == {("R8", "A"): exact("20", "0"), ("R9", "B"): exact("10", "0")}
    assert_a_full_build_agrees(workbench)


def test_whatever_the_parts_an_order_refunded_whole_leaves_nothing(workbench: Workbench) -> None:
    dice = random.Random(5)
    first, last = REFUNDS, REFUNDS
    for options in (INCLUDED, ON_TOP):
        source = options["source"]
        lines = HEADER + FILLER
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for order in (f"O{number}" for number in range(25)):
            for product in "ABC"[: dice.randint(1, 3)]:
                quantity, discount = dice.randint(1, 4), dice.choice(exact("0", "0.1", "0.5"))
                price = Decimal(dice.randint(100, 9999)) / 100
                tax = dice.choice([",0.19", ",0.07", f"{dice.randint(0, 40) / 100},"])
                lines += f"{order},{product},2024-01-10,{quantity},{price},{discount},{tax}\n"
                paid[order] += quantity * price * (1 - discount)
                unit = price * (1 - discount)
            # Some of the units, a part of the rest, and then the rest.
            units = dice.randint(0, quantity - 1)
            if units:
                first += f"{source} U{order},{order},{product},,{units},2024-02-01,{source}\n"
            rest = paid[order] - units * unit
            part = (rest * dice.randint(1, 99) / 100).quantize(Decimal("0.01"))
            first += f"{source} P{order},{order},,{part},,2024-02-02,{source}\n"
            last += f"{source} R{order},{order},,{rest - part},,2024-02-03,{source}\n"
        workbench.land(lines, **options)
    workbench.build()
    for refunds in (first, last):
        workbench.land(refunds.replace("Refund Date\n", "Refund Date,Source\n"), feed="refunds")
        assert not workbench.build().is_full
    assert workbench.rows("select distinct status from core.fct_refunds") == [("applied",)]
    for source in ("with", "without"):
        assert set(left(workbench, source).values()) == {NOTHING}
    # Of prices that include it, net and tax are what was given back, to the last digit.
    parts = workbench.rows(
        "select sum(returns - tax), refunded_amount"
        " from core.fct_order_lines inner join core.fct_refunds using (source, refund_id)"
        " where source = 'with' group by source, refund_id, refunded_amount"
    )
    assert [parted for parted, _ in parts] == [whole for _, whole in parts]
    assert_a_full_build_agrees(workbench)
