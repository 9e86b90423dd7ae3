"""Refunds are returns on their own date: spread over the order's lines, never more than was paid."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.builds.publish import Publication
from pipeline.cli import main
from pipeline.settings import get_settings
from tests.pipeline.builds.conftest import Workbench

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Discount,Region,Customer ID,Unit Cost\n"
LINES = HEADER + (
    "1,A,2024-01-10,3,10,0,North,C1,4\n"  # 30.00
    "1,B,2024-01-10,1,19.99,0.5,North,C1,\n"  # 9.995
    "1,B,2024-01-10,2,5,0,South,C1,1\n"  # 10.00
    "2,A,2024-01-11,1,10,0,North,,\n"
    + "".join(f"X{number},Z,2024-01-01,1,1,0,East,,\n" for number in range(60))
)
REFUNDS = "Refund ID,Order ID,Product ID,Amount,Quantity,Refund Date\n"
FIRST, SECOND, THIRD = "refund {} (A #1)", "refund {} (B #1)", "refund {} (B #2)"


def refund_lines(workbench: Workbench) -> dict[str, tuple[Any, ...]]:
    rows = workbench.rows(
        "select line_key, sale_date, quantity, returns, net_revenue, cost from core.fct_order_lines"
        " where refund_id is not null"
    )
    return {row[0]: row[1:] for row in rows}


def returns(workbench: Workbench) -> dict[str, Decimal]:
    return {key: row[2] for key, row in refund_lines(workbench).items()}


def statuses(workbench: Workbench) -> dict[str, tuple[str, str | None, Decimal | None]]:
    rows = workbench.rows("select refund_id, status, refused_because, refunded_amount from core.fct_refunds")
    return {row[0]: row[1:] for row in rows}


def changed(publication: Publication) -> dict[str, dict[str, int]]:
    return {table: counts for table, counts in publication.rows_changed.items() if any(counts.values())}


def refund(workbench: Workbench, *rows: str) -> Publication:
    """Deliver refunds and build the change."""
    workbench.land(REFUNDS + "".join(f"{row}\n" for row in rows), feed="refunds")
    publication = workbench.build()
    assert not publication.is_full
    return publication


def assert_a_full_build_agrees(workbench: Workbench) -> None:
    assert changed(workbench.build(full=True)) == {}


def sold(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.build()


def test_an_amount_is_spread_by_net_value_and_the_remainder_falls_to_the_largest(
    workbench: Workbench,
) -> None:
    sold(workbench)
    before = workbench.rows("select * from marts.orders_daily order by 1, 2")
    publication = refund(workbench, "R1,1,,10,,2024-03-01")
    # 10 x 30 / 49.995 = 6.0006, 10 x 9.995 / 49.995 = 1.9991, 10 x 10 / 49.995 = 2.0002: cut to cents.
    assert refund_lines(workbench) == {
        FIRST.format("R1"): (date(2024, 3, 1), 0, Decimal("6.01"), Decimal("-6.01"), Decimal(0)),
        SECOND.format("R1"): (date(2024, 3, 1), 0, Decimal("1.99"), Decimal("-1.99"), None),
        THIRD.format("R1"): (date(2024, 3, 1), 0, Decimal("2.00"), Decimal("-2.00"), Decimal(0)),
    }
    assert statuses(workbench) == {"R1": ("applied", None, Decimal(10))}
    # On the refund's own day, in the regions of the lines; orders and customers are as they were.
    assert workbench.rows(
        "select sale_date, region, gross_revenue, returns, net_revenue, units_returned"
        " from marts.revenue_daily where returns <> 0 order by region"
    ) == [
        (date(2024, 3, 1), "North", 0, 8, -8, 0),
        (date(2024, 3, 1), "South", 0, 2, -2, 0),
    ]
    assert workbench.rows("select * from marts.orders_daily order by 1, 2") == before
    assert workbench.rows(
        "select order_date, is_sale, net_revenue from core.fct_orders where order_id = '1'"
    ) == [(date(2024, 1, 10), True, Decimal("39.995"))]
    assert changed(publication) == {
        "core.dim_customer": {"written": 1, "deleted": 0},
        "core.dim_product": {"written": 2, "deleted": 0},
        "core.dim_region": {"written": 2, "deleted": 0},
        "core.fct_order_lines": {"written": 3, "deleted": 0},
        "core.fct_orders": {"written": 1, "deleted": 0},
        "core.fct_refunds": {"written": 1, "deleted": 0},
        "marts.product_revenue_monthly": {"written": 3, "deleted": 0},
        "marts.revenue_anomalies": changed(publication)["marts.revenue_anomalies"],
        "marts.revenue_by_product_monthly": {"written": 2, "deleted": 0},
        "marts.revenue_by_region_monthly": {"written": 2, "deleted": 0},
        "marts.revenue_daily": {"written": 2, "deleted": 0},
        "marts.revenue_monthly": {"written": 2, "deleted": 0},
    }
    assert_a_full_build_agrees(workbench)


def test_units_come_back_at_what_was_paid_for_them(workbench: Workbench) -> None:
    sold(workbench)
    refund(workbench, "R1,1,A,,2,2024-02-01", "R2,1,B,,2,2024-02-02", "R3,1,B,,1,2024-02-03")
    assert refund_lines(workbench) == {
        FIRST.format("R1"): (date(2024, 2, 1), -2, Decimal(20), Decimal(-20), Decimal(-8)),
        SECOND.format("R2"): (date(2024, 2, 2), -1, Decimal("9.995"), Decimal("-9.995"), None),
        THIRD.format("R2"): (date(2024, 2, 2), -1, Decimal(5), Decimal(-5), Decimal(-1)),
        THIRD.format("R3"): (date(2024, 2, 3), -1, Decimal(5), Decimal(-5), Decimal(-1)),
    }
    # Of A there is one unit left, of B none.
    refund(workbench, "R4,1,A,,2,2024-02-04", "R5,1,B,,1,2024-02-05", "R6,1,A,,1,2024-02-06")
    assert statuses(workbench) == {
        "R1": ("applied", None, Decimal(20)),
        "R2": ("applied", None, Decimal("14.995")),
        "R3": ("applied", None, Decimal(5)),
        "R4": ("refused", "refund_exceeds_paid", None),
        "R5": ("refused", "refund_exceeds_paid", None),
        "R6": ("applied", None, Decimal(10)),
    }
    assert workbench.rows("select net_revenue from core.fct_orders where order_id = '1'") == [(0,)]
    assert workbench.rows("select sum(units_returned) from marts.revenue_monthly") == [(6,)]
    assert_a_full_build_agrees(workbench)


def test_an_amount_for_a_product_stays_within_what_was_paid_for_it(workbench: Workbench) -> None:
    sold(workbench)
    refund(workbench, "R1,1,B,19.99,,2024-02-01", "R2,1,B,0.01,,2024-02-02", "R3,1,,30.01,,2024-02-03")
    assert statuses(workbench) == {
        "R1": ("applied", None, Decimal("19.99")),
        "R2": ("refused", "refund_exceeds_paid", None),
        "R3": ("refused", "refund_exceeds_paid", None),
    }
    assert returns(workbench) == {SECOND.format("R1"): Decimal("9.99"), THIRD.format("R1"): Decimal("10.00")}
    # What is refused does not count for those after it.
    refund(workbench, "R4,1,,30.005,,2024-02-04")
    assert statuses(workbench)["R4"] == ("applied", None, Decimal("30.005"))
    assert sum(returns(workbench).values()) == Decimal("49.995")
    assert_a_full_build_agrees(workbench)


def rejected(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `tillhouse rejects` says of refunds."""
    for name, value in workbench.warehouse.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    try:
        found: list[dict[str, Any]] = json.loads(CliRunner().invoke(main, ["rejects", "--json"]).stdout)[
            "refunds"
        ]
        assert "refund" in CliRunner().invoke(main, ["rejects"]).stdout
    finally:
        get_settings.cache_clear()
    return found


def test_a_refund_waits_for_its_order_and_is_applied_when_it_arrives(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(workbench)
    refund(workbench, "R1,9,,5,,2024-02-01")
    assert statuses(workbench) == {"R1": ("pending", None, None)}
    assert refund_lines(workbench) == {}
    assert rejected(workbench, monkeypatch) == [
        {
            "batch_id": 2,
            "source": "default",
            "refund_id": "R1",
            "order_id": "9",
            "amount": "5",
            "quantity": None,
            "refund_date": "2024-02-01",
            "status": "pending",
            "refused_because": None,
        }
    ]
    workbench.land(HEADER + "9,A,2024-01-20,1,8,0,North,C1,\n")
    publication = workbench.build()
    assert not publication.is_full
    assert statuses(workbench) == {"R1": ("applied", None, Decimal(5))}
    assert returns(workbench) == {FIRST.format("R1"): Decimal(5)}
    assert_a_full_build_agrees(workbench)


def test_the_same_refund_again_corrects_it_even_to_another_order(workbench: Workbench) -> None:
    sold(workbench)
    refund(workbench, "R1,1,A,5,,2024-02-01")
    publication = refund(workbench, "R1,1,A,6,,2024-02-01")
    assert returns(workbench) == {FIRST.format("R1"): Decimal(6)}
    assert changed(publication)["core.fct_order_lines"] == {"written": 1, "deleted": 0}
    refund(workbench, "R1,2,,7,,2024-02-02")
    assert workbench.rows(
        "select order_id, line_key, returns from core.fct_order_lines where refund_id is not null"
    ) == [("2", FIRST.format("R1"), 7)]
    assert workbench.rows(
        "select net_revenue from core.fct_orders where order_id in ('1', '2') order by 1"
    ) == [
        (3,),
        (Decimal("49.995"),),
    ]
    # A correction beyond what was paid takes it back whole.
    refund(workbench, "R1,2,,70,,2024-02-02")
    assert refund_lines(workbench) == {}
    assert statuses(workbench) == {"R1": ("refused", "refund_exceeds_paid", None)}
    assert_a_full_build_agrees(workbench)


def test_a_refund_follows_the_corrections_of_its_order(workbench: Workbench) -> None:
    sold(workbench)
    refund(workbench, "R1,1,A,,2,2024-02-01", "R2,2,,10,,2024-02-01")
    # A dearer price, another region; and an order that now costs less than what was given back for it.
    workbench.land(HEADER + "1,A,2024-01-10,3,12,0,West,C1,4\n2,A,2024-01-11,1,9,0,North,,\n")
    publication = workbench.build()
    assert not publication.is_full
    assert workbench.rows(
        "select order_id, region, quantity, returns from core.fct_order_lines where refund_id is not null"
    ) == [("1", "West", -2, 24)]
    assert statuses(workbench) == {
        "R1": ("applied", None, Decimal(24)),
        "R2": ("refused", "refund_exceeds_paid", None),
    }
    assert_a_full_build_agrees(workbench)


def test_an_order_that_an_overwrite_drops_takes_its_refund_along(workbench: Workbench) -> None:
    sold(workbench)
    refund(workbench, "R1,2,,10,,2024-02-01")
    kept = "".join(line + "\n" for line in LINES.splitlines() if not line.startswith("2,"))
    workbench.land(kept, mode="overwrite")
    workbench.build()
    assert refund_lines(workbench) == {}
    assert statuses(workbench) == {"R1": ("pending", None, None)}
    assert workbench.rows("select count(*) from core.fct_orders where order_id = '2'") == [(0,)]
    assert_a_full_build_agrees(workbench)


def test_an_overwrite_that_repeats_the_order_leaves_its_refund_alone(workbench: Workbench) -> None:
    sold(workbench)
    refund(workbench, "R1,2,,10,,2024-02-01")
    workbench.land(LINES, mode="overwrite")
    publication = workbench.build()
    assert not publication.is_full
    assert changed(publication) == {}


def test_a_line_of_return_counts_as_given_back(workbench: Workbench) -> None:
    sold(workbench)
    workbench.land(HEADER + "3,A,2024-01-11,2,10,0,North,,\n3,A,2024-01-12,-1,10,0,North,,\n")
    workbench.build()
    refund(workbench, "R1,3,,10.01,,2024-02-01", "R2,3,A,10,,2024-02-02")
    assert statuses(workbench) == {
        "R1": ("refused", "refund_exceeds_paid", None),
        "R2": ("applied", None, Decimal(10)),
    }
    assert_a_full_build_agrees(workbench)


def test_refunds_of_another_source_name_it(workbench: Workbench) -> None:
    workbench.land(LINES, source="shop")
    workbench.build()
    workbench.land(
        REFUNDS + "R1,2,,1,,2024-02-01\n", source="payments", feed="refunds", constants={"source": "shop"}
    )
    workbench.build()
    assert workbench.rows("select source, refund_id, status from core.fct_refunds") == [
        ("shop", "R1", "applied")
    ]
    assert_a_full_build_agrees(workbench)
