"""Random sequences of deliveries, each built as a change, against figures computed from scratch."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.api import derived
from tests.api.published import orders_of
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.oracle import Oracle, Row, csv_text

SUMS = (
    "gross_revenue, discounts, returns, net_revenue, shipping, cost, costed_net_revenue, "
    "line_count, units, units_returned"
)
ROLLUPS = {
    "marts.revenue_daily": ("sale_date", "source", "region", "category", "payment_method"),
    "marts.revenue_by_product_monthly": ("month_start", "product_id"),
    "marts.revenue_by_region_monthly": ("month_start", "source", "region"),
    "marts.revenue_monthly": ("month_start", "source", "region", "category", "payment_method"),
    "marts.product_revenue_monthly": ("month_start", "product_id", "category", "region"),
}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_delta_leaves_what_a_computation_from_scratch_gives(workbench: Workbench, seed: int) -> None:
    dice, dice_of_records = random.Random(seed), random.Random(f"records {seed}")
    oracle = Oracle()
    known: dict[str, list[Row]] = {"north": [], "south": []}
    for delivery in range(6):
        source = dice.choice(sorted(known))
        # A first delivery is an append: nothing is there yet to be overwritten.
        mode = dice.choice(["append", "overwrite"]) if known[source] else "append"
        files = [some_rows(dice, known[source], mode) for _ in range(dice.choice([1, 1, 2]))]
        known[source] = [row for rows in files for row in rows if not row.is_broken] or known[source]
        kind = dice.choice(["partial", "full"]) if mode == "overwrite" else "partial"
        texts = map(csv_text, files)
        results = workbench.land(*texts, source=source, mode=mode, delivery=kind, force=True)
        assert [result.status for result in results] == ["landed"] * len(files)
        calls = [(result.batch_id or 0, rows) for result, rows in zip(results, files, strict=True)]
        if mode == "append":
            for call in calls:
                oracle.deliver(source, mode, [call])
        else:
            oracle.deliver(source, mode, calls, delivery=kind)
        if dice_of_records.random() < 0.6:
            deliver_records(workbench, oracle, dice_of_records)
        if dice.random() < 0.8 or delivery == 5:
            workbench.build()
            assert_published(workbench, oracle)

    assert_nothing_left_for_a_full_build(workbench)
    assert_published(workbench, oracle)


def test_a_correction_of_a_price_alone_still_decides_which_name_is_current(workbench: Workbench) -> None:
    day = date(2024, 1, 5)
    old, new = row_named("A", "Old name", day), row_named("B", "New name", day)
    deliver(workbench, oracle := Oracle(), "append", [old, new])
    # The same day: the later delivery decides, and brings only another price.
    deliver(workbench, oracle, "append", [replace(old, price=Decimal(9))])
    deliver(workbench, oracle, "append", [row_named("C", "", day)])
    assert oracle.product_names() == {"P1": "Old name"}
    assert_nothing_left_for_a_full_build(workbench)


def test_a_line_that_was_deleted_and_delivered_again_is_a_new_line(workbench: Workbench) -> None:
    day = date(2024, 1, 5)
    line, other = row_named("A", "Thing", day), row_named("B", "Thing", day)
    deliver(workbench, oracle := Oracle(), "append", [line, other])
    deliver(workbench, oracle, "overwrite", [other])
    deliver(workbench, oracle, "append", [line])
    assert_nothing_left_for_a_full_build(workbench)
    assert_published(workbench, oracle)


def test_a_guest_who_returns_something_under_a_name_is_no_customer(workbench: Workbench) -> None:
    day = date(2024, 1, 5)
    sale = replace(row_named("A", "Thing", day), customer_id="")
    back = replace(row_named("A", "Thing", day), customer_id="C9", quantity=-1)
    deliver(workbench, Oracle(), "append", [sale, back])
    assert workbench.rows("select customer_id, has_several_customers from core.fct_orders") == [(None, False)]


def row_named(order_id: str, name: str, day: date) -> Row:
    fixed = random.Random(1)
    return replace(
        new_row(fixed), order_id=order_id, product_id="P1", name=name, day=day, quantity=1, customer_id="C1"
    )


def deliver(workbench: Workbench, oracle: Oracle, mode: str, rows: list[Row]) -> None:
    [result] = workbench.land(csv_text(rows), mode=mode, force=True)
    oracle.deliver("default", mode, [(result.batch_id or 0, rows)])
    workbench.build()
    assert_published(workbench, oracle)


def deliver_records(workbench: Workbench, oracle: Oracle, dice: random.Random) -> None:
    """Records of some products and customers, some of whom no line knows."""
    names, categories = ["", "Recorded"], ["", "Hats", "Toys"]
    products = {
        f"P{number}": (dice.choice(names), dice.choice(categories))
        for number in dice.sample(range(1, 11), dice.randint(1, 5))
    }
    customers = {
        f"C{number}": dice.choice(["", "3 Side Street", "4 Back Lane"])
        for number in dice.sample(range(1, 7), dice.randint(1, 3))
    }
    named = [(key, *values) for key, values in products.items()]
    for feed, header, rows in (
        ("products", "Product ID,Product Name,Category", named),
        ("customers", "Customer ID,Customer Address", list(customers.items())),
    ):
        text = "\n".join([header, *map(",".join, rows)]) + "\n"
        assert workbench.land(text, feed=feed)[0].status in ("landed", "skipped")
    oracle.products |= products
    oracle.customers |= customers


def assert_nothing_left_for_a_full_build(workbench: Workbench) -> None:
    again = workbench.build(full=True)
    assert {table: counts for table, counts in again.rows_changed.items() if any(counts.values())} == {}


def some_rows(dice: random.Random, known: list[Row], mode: str) -> list[Row]:
    """New rows, and for an overwrite most of the known ones, some of them changed or broken."""
    old = [row for row in known if mode == "overwrite" and dice.random() < 0.8]
    rows = [vary(dice, row) if dice.random() < 0.3 else row for row in old]
    rows += [new_row(dice) for _ in range(dice.randint(5, 40))]
    broken = [dice.random() < 0.1 for _ in rows[:15]] + [False] * len(rows[15:])
    rows = [
        Row(**{**row.__dict__, "is_broken": is_broken}) for row, is_broken in zip(rows, broken, strict=True)
    ]
    # Equal rows of one file would be quarantined as duplicates, which is landing's test.
    return list(dict.fromkeys(rows))


def new_row(dice: random.Random) -> Row:
    product = dice.randint(1, 8)
    return Row(
        order_id=f"O{dice.randint(1, 30)}",
        product_id=f"P{product}",
        name=dice.choice(["", f"Thing {product}", f"Better thing {product}"]),
        category=dice.choice(["Shoes", "Hats", ""]),
        customer_id=dice.choice(["", "C1", "C2", "C3", "C4"]),
        address=dice.choice(["", "1 High Street", "2 Low Road"]),
        region=dice.choice(["North", "South", ""]),
        day=date(2023, 11, 1) + timedelta(days=dice.randint(0, 120)),
        quantity=dice.choice([-2, -1, 1, 2, 3, 10]),
        price=Decimal(dice.randint(0, 99999)) / 1000,
        discount=dice.choice([Decimal(0), Decimal("0.1"), Decimal("0.125"), Decimal(1)]),
        shipping=dice.choice([Decimal(0), Decimal("4.95")]),
        cost=dice.choice([None, Decimal("1.25")]),
        payment=dice.choice(["Card", "Cash", ""]),
    )


def vary(dice: random.Random, row: Row) -> Row:
    fresh = new_row(dice)
    names = ["name", "day", "quantity", "price", "region", "customer_id", "cost", "category", "payment"]
    changed = dice.sample(names, 2)
    return Row(**{**row.__dict__, **{name: getattr(fresh, name) for name in changed}})


def assert_published(workbench: Workbench, oracle: Oracle) -> None:
    fact = workbench.rows(
        """
        select
            source, order_id, product_id, occurrence, customer_id, region, payment_method, sale_date,
            quantity, unit_price, net_revenue, batch_id, row_number
        from core.fct_order_lines
        """
    )
    assert sorted(fact, key=lambda row: row[:4]) == oracle.fact()
    for table, key in ROLLUPS.items():
        rows = workbench.rows(f"select {', '.join(key)}, {SUMS} from {table}")
        assert {row[: len(key)]: row[len(key) :] for row in rows} == oracle.rollup(*key), table
    orders = workbench.rows(
        "select source, order_id, order_date, is_sale, customer_id, net_revenue from core.fct_orders"
    )
    assert {row[:2]: row[2:] for row in orders} == oracle.orders()
    names = workbench.rows("select product_id, current_name from core.dim_product")
    assert dict(names) == oracle.product_names()
    current = workbench.rows("select product_id from core.dim_product where is_current")
    assert sorted(row[0] for row in current) == sorted(oracle.product_names())
    customers = workbench.rows("select customer_id, customer_address from core.dim_customer")
    assert dict(customers) == oracle.addresses()
    assert_marts(workbench, oracle)
    regions = workbench.rows("select region, line_count from core.dim_region")
    assert dict(regions) == {key[0]: int(sums[7]) for key, sums in oracle.rollup("region").items()}


def assert_marts(workbench: Workbench, oracle: Oracle) -> None:
    lines = oracle.as_lines()
    orders = orders_of(lines)
    days = ", ".join(
        f"{before}_order_date{sequence}"
        for sequence in ("", "_in_region")
        for before in ("previous", "second_previous")
    )
    for table, columns, expected in (
        (
            "customer_orders",
            f"customer_id, region, source, order_id, order_date, is_first_region, {days}",
            derived.customer_orders(orders),
        ),
        (
            "customer_returns_monthly",
            "region, step, order_month, earlier_month, orders",
            derived.customer_returns_monthly(orders),
        ),
        ("customers_daily", "order_date, region, customers", derived.customers_daily(orders)),
        (
            "purchases_monthly",
            "product_id, category, payment_method, order_month, earlier_month,"
            " orders, return_orders, customers",
            derived.purchases_monthly(orders),
        ),
        ("orders_daily", "order_date, source, orders, return_orders", derived.orders_daily(orders)),
        (
            "orders_by_region_daily",
            "order_date, source, region, orders, return_orders",
            derived.orders_by_region_daily(orders),
        ),
        (
            "revenue_anomalies",
            "sale_date, weekday, line_count, net_revenue, expected, spread, score, is_anomaly",
            derived.revenue_anomalies(lines),
        ),
    ):
        rows = workbench.rows(f"select {columns} from marts.{table}")
        assert Counter(rows) == Counter(map(tuple, expected)), table
