"""A product's record gives it a name, and its versions a category, where the lines have none."""

from decimal import Decimal

import pytest

from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_mending import change
from tests.pipeline.builds.test_unit_costs import assert_a_full_build_agrees, changed

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Product Name,Category\n"
LINES = HEADER + (
    "1,P1,2024-01-31,1,10,,\n"
    "2,P1,2024-02-01,2,10,Lamp,\n"
    "3,P1,2024-02-01,3,10,Lamp,Light\n"
    "4,P2,2024-02-01,4,10,,\n" + "".join(f"R{number},P9,2024-01-01,1,1,Rest,East\n" for number in range(60))
)
PRODUCTS = "Product ID,Product Name,Category,List Price,Description,Colour\n"
REFUND = "Refund ID,Order ID,Amount,Refund Date,Source\nR1,1,4,2024-03-05,default\n"


def by_category(workbench: Workbench, table: str, day: str = "sale_date") -> list[tuple[str, str, Decimal]]:
    return workbench.rows(
        f"select {day}::text, category, net_revenue from marts.{table}"
        f" where category <> 'East' order by {day}, category"
    )


def versions(workbench: Workbench) -> list[tuple[str, str | None, str, str, str]]:
    return workbench.rows(
        "select product_id, product_name, own_category, category, current_name from core.dim_product"
        " where product_id <> 'P9' order by product_id, own_category desc, product_name nulls first"
    )


def test_a_category_that_changes_restates_the_lines_sold_without_one(
    workbench: Workbench,
) -> None:
    workbench.land(LINES)
    workbench.land(REFUND, feed="refunds")
    workbench.land(
        PRODUCTS + "P1,Table lamp,Lighting,49.90,Bright,red\nP3,Never sold,Toys,1,,\n", feed="products"
    )
    workbench.build()
    assert versions(workbench) == [
        ("P1", None, "Unspecified", "Lighting", "Lamp"),
        ("P1", "Lamp", "Unspecified", "Lighting", "Lamp"),
        ("P1", "Lamp", "Light", "Light", "Lamp"),
        ("P2", None, "Unspecified", "Unspecified", "P2"),
    ]
    assert by_category(workbench, "revenue_daily") == [
        ("2024-01-31", "Lighting", Decimal(10)),
        ("2024-02-01", "Light", Decimal(30)),
        ("2024-02-01", "Lighting", Decimal(20)),
        ("2024-02-01", "Unspecified", Decimal(40)),
        ("2024-03-05", "Lighting", Decimal(-4)),
    ]

    [correction] = workbench.land(PRODUCTS + "P1,Desk lamp,Home,39.90,,blue\n", feed="products")
    publication = workbench.build()
    assert not publication.is_full
    expected = [
        ("2024-01-31", "Home", Decimal(10)),
        ("2024-02-01", "Home", Decimal(20)),
        ("2024-02-01", "Light", Decimal(30)),
        ("2024-02-01", "Unspecified", Decimal(40)),
        ("2024-03-05", "Home", Decimal(-4)),
    ]
    assert by_category(workbench, "revenue_daily") == expected
    assert by_category(workbench, "product_revenue_monthly", "month_start") == [
        ("2024-01-01", "Home", Decimal(10)),
        ("2024-02-01", "Home", Decimal(20)),
        ("2024-02-01", "Light", Decimal(30)),
        ("2024-02-01", "Unspecified", Decimal(40)),
        ("2024-03-01", "Home", Decimal(-4)),
    ]
    # The two versions, and each day's row that moves to the other category. The lines carry none.
    assert changed(publication) == {
        "core.dim_product": {"written": 2, "deleted": 0},
        "core.dim_product_record": {"written": 1, "deleted": 0},
        "marts.product_revenue_monthly": {"written": 3, "deleted": 3},
        "marts.purchases_monthly": {"written": 2, "deleted": 2},
        "marts.revenue_daily": {"written": 3, "deleted": 3},
        "marts.revenue_monthly": {"written": 3, "deleted": 3},
    }
    assert workbench.rows(
        "select sale_date::text, batch_id, lines_added, lines_removed, net_revenue from core.build_changes"
        f" where build_id = {publication.build_id} order by 1"
    ) == [(day, correction.batch_id, 1, 1, 0) for day in ("2024-01-31", "2024-02-01", "2024-03-05")]
    assert workbench.rows(
        "select product_id, product_name, category, list_price, description, extra"
        " from core.dim_product_record order by 1"
    ) == [
        ("P1", "Desk lamp", "Home", Decimal("39.9"), None, {"Colour": "blue"}),
        ("P3", "Never sold", "Toys", Decimal(1), None, None),
    ]
    assert_a_full_build_agrees(workbench)


def test_a_record_names_what_was_never_sold_under_a_name(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.build()
    workbench.land(PRODUCTS + "P1,Desk lamp,,,,\nP2,Chair,,,,\n", feed="products")
    publication = workbench.build()
    assert [(row[0], row[1], row[4]) for row in versions(workbench)] == [
        ("P1", None, "Lamp"),
        ("P1", "Lamp", "Lamp"),
        ("P1", "Lamp", "Lamp"),
        ("P2", None, "Chair"),
    ]
    assert changed(publication) == {
        "core.dim_product": {"written": 1, "deleted": 0},
        "core.dim_product_record": {"written": 2, "deleted": 0},
    }
    # The name that it is sold under at last goes first.
    workbench.land(HEADER + "5,P2,2024-02-02,1,10,Stool,\n")
    workbench.build()
    assert [row[1:] for row in versions(workbench) if row[0] == "P2"] == [
        (None, "Unspecified", "Unspecified", "Stool"),
        ("Stool", "Unspecified", "Unspecified", "Stool"),
    ]
    assert_a_full_build_agrees(workbench)


def test_records_may_come_before_the_lines_and_with_their_corrections(workbench: Workbench) -> None:
    workbench.land(PRODUCTS + "P1,,Lighting,,,\n", feed="products")
    workbench.build()
    assert workbench.rows("select count(*) from core.dim_product") == [(0,)]
    workbench.land(LINES)
    workbench.build()
    assert {row[3] for row in versions(workbench) if row[0] == "P1"} == {"Light", "Lighting"}
    # One line unchanged, one dearer, one of a version that is new, in the build that changes the category.
    workbench.land(
        HEADER + "1,P1,2024-01-31,1,10,,\n2,P1,2024-02-01,2,11,Lamp,\n6,P1,2024-02-03,1,5,Torch,\n"
    )
    workbench.land(PRODUCTS + "P1,,Home,,,\n", feed="products")
    publication = workbench.build()
    assert not publication.is_full
    assert by_category(workbench, "revenue_daily") == [
        ("2024-01-31", "Home", Decimal(10)),
        ("2024-02-01", "Home", Decimal(22)),
        ("2024-02-01", "Light", Decimal(30)),
        ("2024-02-01", "Unspecified", Decimal(40)),
        ("2024-02-03", "Home", Decimal(5)),
    ]
    assert changed(publication)["core.fct_order_lines"] == {"written": 2, "deleted": 0}
    assert workbench.rows(
        "select order_id, batch_id, row_number from core.fct_order_lines where product_id = 'P1' order by 1"
    ) == [("1", 2, 2), ("2", 3, 3), ("3", 2, 4), ("6", 3, 4)]
    assert_a_full_build_agrees(workbench)


def test_an_overwrite_drops_a_line_in_the_build_that_changes_its_category(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(PRODUCTS + "P1,,Lighting,,,\n", feed="products")
    workbench.build()
    kept = "".join(line + "\n" for line in LINES.splitlines() if not line.startswith("1,"))
    workbench.land(kept, mode="overwrite")
    workbench.land(PRODUCTS + "P1,,Home,,,\nP2,,Home,,,\n", feed="products")
    workbench.build()
    assert by_category(workbench, "revenue_daily") == [
        ("2024-02-01", "Home", Decimal(60)),
        ("2024-02-01", "Light", Decimal(30)),
    ]
    assert_a_full_build_agrees(workbench)


def test_a_voided_delivery_of_products_takes_its_categories_and_names_back(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(PRODUCTS + "P1,,Lighting,,,\n", feed="products")
    workbench.build()
    before = versions(workbench), by_category(workbench, "revenue_daily")
    [wrong] = workbench.land(PRODUCTS + "P1,,Home,,,\nP2,Chair,Seats,,,\n", feed="products")
    workbench.build()
    after = versions(workbench), by_category(workbench, "revenue_daily")
    assert ("P2", None, "Unspecified", "Seats", "Chair") in after[0]

    change(workbench, wrong)
    publication = workbench.build()
    assert (versions(workbench), by_category(workbench, "revenue_daily")) == before
    assert publication.rows_changed["core.dim_product_record"] == {"written": 1, "deleted": 1}
    assert publication.rows_changed["core.fct_order_lines"] == {"written": 0, "deleted": 0}
    change(workbench, wrong, restores=True)
    workbench.build()
    assert (versions(workbench), by_category(workbench, "revenue_daily")) == after
    assert_a_full_build_agrees(workbench)


@pytest.mark.parametrize("category", ["", "Unspecified"])
def test_a_record_that_loses_its_category_leaves_its_lines_unspecified(
    workbench: Workbench, category: str
) -> None:
    workbench.land(LINES)
    workbench.land(PRODUCTS + "P1,,Lighting,,,\n", feed="products")
    workbench.build()
    workbench.land(PRODUCTS + f"P1,,{category},1,,\n", feed="products")
    workbench.build()
    assert {row[2:4] for row in versions(workbench)} == {("Unspecified", "Unspecified"), ("Light", "Light")}
    assert_a_full_build_agrees(workbench)
