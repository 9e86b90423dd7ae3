"""A line's cost is its own, else the one valid on the day of the sale; a correction restates its lines."""

from decimal import Decimal

from pipeline.builds.publish import Publication
from tests.pipeline.builds.conftest import Workbench

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Unit Cost\n"
LINES = HEADER + (
    "1,P1,2024-01-31,1,10,\n"
    "2,P1,2024-02-01,2,10,\n"
    "3,P1,2024-03-01,3,10,7.5\n"
    "4,P2,2024-02-01,1,10,\n" + "".join(f"R{number},P9,2024-01-01,1,1,\n" for number in range(60))
)
COSTS = "Product ID,Unit Cost,Valid From\n"


def costs(workbench: Workbench) -> dict[str, tuple[Decimal | None, ...]]:
    rows = workbench.rows(
        "select order_id, own_unit_cost, unit_cost, cost from core.fct_order_lines where product_id <> 'P9'"
    )
    return {row[0]: row[1:] for row in rows}


def changed(publication: Publication) -> dict[str, dict[str, int]]:
    return {table: counts for table, counts in publication.rows_changed.items() if any(counts.values())}


def assert_a_full_build_agrees(workbench: Workbench) -> None:
    assert changed(workbench.build(full=True)) == {}


def test_a_late_correction_restates_the_lines_it_concerns_and_no_other(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(COSTS + "P1,4,2024-01-01\nP1,5,2024-02-01\n", feed="unit_costs")
    workbench.build()
    assert costs(workbench) == {
        "1": (None, Decimal(4), Decimal(4)),
        "2": (None, Decimal(5), Decimal(10)),
        "3": (Decimal("7.5"), Decimal("7.5"), Decimal("22.5")),
        "4": (None, None, None),
    }

    [correction] = workbench.land(COSTS + "P1,4.25,2024-01-01\nP2,1,2024-02-02\n", feed="unit_costs")
    publication = workbench.build()
    assert not publication.is_full
    assert costs(workbench)["1"] == (None, Decimal("4.25"), Decimal("4.25"))
    assert {order: found[1] for order, found in costs(workbench).items() if order != "1"} == {
        "2": Decimal(5),
        "3": Decimal("7.5"),
        # It was sold the day before its cost is known.
        "4": None,
    }
    # One line, the rows of the day's rollups that it is in, and the costs themselves.
    assert changed(publication) == {
        "core.dim_unit_cost": {"written": 2, "deleted": 0},
        "core.fct_order_lines": {"written": 1, "deleted": 0},
        "marts.product_revenue_monthly": {"written": 1, "deleted": 0},
        "marts.revenue_by_product_monthly": {"written": 1, "deleted": 0},
        "marts.revenue_by_region_monthly": {"written": 1, "deleted": 0},
        "marts.revenue_daily": {"written": 1, "deleted": 0},
        "marts.revenue_monthly": {"written": 1, "deleted": 0},
    }
    assert workbench.rows("select distinct batch_id from core.fct_order_lines") == [(1,)]
    assert workbench.rows(
        f"select distinct batch_id from core.build_changes where build_id = {publication.build_id}"
    ) == [(correction.batch_id,)]
    assert_a_full_build_agrees(workbench)


def test_a_cost_from_an_earlier_day_takes_over_until_the_next(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(COSTS + "P1,5,2024-02-01\n", feed="unit_costs")
    workbench.build()
    assert costs(workbench)["1"] == (None, None, None)
    # Without a day: always.
    workbench.land(COSTS + "P1,3,\n", feed="unit_costs")
    workbench.build()
    assert costs(workbench)["1"] == (None, Decimal(3), Decimal(3))
    assert costs(workbench)["2"] == (None, Decimal(5), Decimal(10))
    assert_a_full_build_agrees(workbench)


def test_the_unit_cost_of_a_product_is_valid_always(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land("Product ID,Unit Cost\nP2,2\nP1,\n", feed="products")
    workbench.build()
    assert costs(workbench)["4"] == (None, Decimal(2), Decimal(2))
    assert costs(workbench)["1"] == (None, None, None)
    assert_a_full_build_agrees(workbench)


def test_costs_may_come_before_the_lines_and_with_their_corrections(workbench: Workbench) -> None:
    workbench.land(COSTS + "P1,4,\nP2,1,\n", feed="unit_costs")
    workbench.build()
    assert workbench.rows("select count(*) from core.fct_order_lines") == [(0,)]
    workbench.land(LINES)
    workbench.build()
    assert costs(workbench)["1"] == (None, Decimal(4), Decimal(4))
    # A line delivered anew, unchanged, in the build that changes its cost: it keeps where it came from.
    workbench.land(HEADER + "1,P1,2024-01-31,1,10,\n2,P1,2024-02-01,2,11,\n")
    workbench.land(COSTS + "P1,6,2024-01-31\n", feed="unit_costs")
    publication = workbench.build()
    assert not publication.is_full
    assert workbench.rows(
        "select order_id, unit_cost, batch_id, row_number from core.fct_order_lines"
        " where product_id = 'P1' order by order_id"
    ) == [("1", Decimal(6), 2, 2), ("2", Decimal(6), 3, 3), ("3", Decimal("7.5"), 2, 4)]
    workbench.build(full=True)
    assert workbench.rows(
        "select order_id, batch_id, row_number from core.fct_order_lines where product_id = 'P1' order by 1"
    ) == [("1", 2, 2), ("2", 3, 3), ("3", 2, 4)]


def test_an_overwrite_that_drops_a_line_leaves_it_dropped_when_its_cost_changes(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.build()
    kept = "".join(line + "\n" for line in LINES.splitlines() if not line.startswith("1,"))
    workbench.land(kept, mode="overwrite")
    workbench.land(COSTS + "P1,4,\n", feed="unit_costs")
    workbench.build()
    assert set(costs(workbench)) == {"2", "3", "4"}
    assert costs(workbench)["2"] == (None, Decimal(4), Decimal(8))
    assert_a_full_build_agrees(workbench)
