"""Closed months against the other feeds: records that would change one are refused."""

from datetime import date
from typing import Any

import pytest

from pipeline.landing import BatchResult, LandingError
from pipeline.landing.closed_months import close_month, closed_months
from pipeline.landing.voiding import VoidRequest, void
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_closed_months import REFUSED

LINES = (
    "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Unit Cost,Region,Store ID\n"
    "1,A,2024-01-05,1,10,,,S1\n"
    "2,A,2024-01-06,1,20,7,North,S1\n"
    "3,A,2024-02-05,1,30,,,S1\n"
    "4,B,2023-12-05,2,40,,,S2\n"
    "5,C,2024-02-05,1,50,,,S3\n"
)
COSTS = "Product ID,Unit Cost,Valid From\n"
STORES = "Store ID,Region\n"
REFUNDS = "Refund ID,Order ID,Product ID,Amount,Quantity,Refund Date\n"
PRODUCTS = "Product ID,Unit Cost,Category\n"
FEEDS = {"unit_costs": COSTS, "stores": STORES, "refunds": REFUNDS, "products": PRODUCTS}
# The refund's order was sold in a month that is open.
KNOWN = {"unit_costs": "A,4,\n", "stores": "S1,West\nS2,West\n", "refunds": "R1,4,,10,,2024-01-20\n"}


@pytest.fixture
def closed(workbench: Workbench) -> Workbench:
    """Lines of three months, costs, stores and a refund are published; January is closed."""
    workbench.land(LINES)
    for feed, rows in KNOWN.items():
        workbench.land(FEEDS[feed] + rows, feed=feed)
    workbench.build()
    assert close_month(workbench.connection, date(2024, 1, 1), "anna") is True
    return workbench


def delivered(workbench: Workbench, feed: str, *rows: str, **options: Any) -> BatchResult:
    [result] = workbench.land(FEEDS[feed] + "".join(f"{row}\n" for row in rows), feed=feed, **options)
    return result


# A cost; one from a day of the month on; of a line that was refunded in the month; a product's own, and its
# category. A store that moves; without a region now; of a line that was refunded in the month. A refund;
# another amount; moved out of the month; of another order; before one in the month.
CHANGES = [
    ("unit_costs", "A,5,", "order 1 line A #1"),
    ("unit_costs", "A,5,2024-01-05", "order 1 line A #1"),
    ("unit_costs", "B,5,", "order 4 line B #1"),
    ("products", "A,5,", "order 1 line A #1"),
    ("products", "A,,Light", "order 1 line A #1, order 2 line A #1"),
    ("products", "B,,Light", "order 4 line B #1"),
    ("stores", "S1,East", "order 1 line A #1"),
    ("stores", "S1,", "order 1 line A #1"),
    ("stores", "S2,East", "order 4 line B #1"),
    ("refunds", "R2,3,,1,,2024-01-31", "refund R2 of order 3"),
    ("refunds", "R1,4,,11,,2024-01-20", "refund R1 of order 4"),
    ("refunds", "R1,4,,10,,2024-02-20", "refund R1 of order 4"),
    ("refunds", "R1,3,,10,,2024-01-20", "refund R1 of order 3, refund R1 of order 4"),
    ("refunds", "R2,4,,1,,2023-12-31", "refund R2 of order 4"),
]


def test_a_record_that_would_change_a_closed_month_is_refused(closed: Workbench) -> None:
    before = [closed.rows(f"select * from raw.{feed}") for feed in KNOWN]
    for feed, row, changed in CHANGES:
        result = delivered(closed, feed, row)
        assert (row, result.status, result.message) == (row, "refused", REFUSED.format(changed))
    assert [closed.rows(f"select * from raw.{feed}") for feed in KNOWN] == before
    assert closed.rows("select count(*) from raw.product_records") == [(0,)]
    assert [month for month, _, _ in closed_months(closed.connection)] == [date(2024, 1, 1)]

    result = delivered(closed, *CHANGES[0][:2], reopen=True)
    assert (result.status, result.message) == ("landed", "opened closed months again: 2024-01")
    assert closed_months(closed.connection) == []


def test_a_record_that_leaves_the_closed_month_as_it_is_lands(closed: Workbench) -> None:
    for feed, *rows in [
        # The same as before, beside what was not sold in the month; from later on, or another day.
        ("unit_costs", "A,4,", "C,5,"),
        ("unit_costs", "A,5,2024-02-01"),
        ("unit_costs", "A,4,2024-01-01"),
        ("products", "C,6,Light", "A,,", "B,,Unspecified"),
        ("stores", "S1,West", "S3,East", "S4,Unspecified"),
        ("refunds", "R1,4,,10,,2024-01-20", "R2,3,,1,,2024-02-20", "R3,4,,1,,2024-02-20"),
    ]:
        result = delivered(closed, feed, *rows)
        assert (rows, result.status, result.message) == (rows, "landed", None)
    assert len(closed_months(closed.connection)) == 1


def test_records_land_in_a_warehouse_without_a_build_although_a_month_is_closed(workbench: Workbench) -> None:
    close_month(workbench.connection, date(2024, 1, 1), "anna")
    rows = {
        "unit_costs": "A,5,",
        "products": "A,5,Light",
        "stores": "S1,West",
        "refunds": "R1,1,,5,,2024-01-31",
    }
    for feed, row in rows.items():
        result = delivered(workbench, feed, row)
        assert (feed, result.status, result.message) == (feed, "landed", None)
    # The refund changes nothing before its order arrives, and then the order is refused.
    [result] = workbench.land(LINES.splitlines()[0] + "\n1,A,2023-12-05,1,10,,,\n")
    assert (result.status, result.message) == ("refused", REFUSED.format("order 1 line A #1"))


def test_a_category_is_guarded_between_an_upgrade_and_its_first_build(closed: Workbench) -> None:
    closed.connection.execute("alter table core.dim_product alter own_category drop not null")
    closed.connection.execute("update core.dim_product set own_category = null")
    result = delivered(closed, "products", "B,,Light")
    assert (result.status, result.message) == ("refused", REFUSED.format("order 4 line B #1"))


def test_a_line_that_changes_a_refund_in_a_closed_month_is_refused(closed: Workbench) -> None:
    [result] = closed.land(LINES.splitlines()[0] + "\n4,B,2023-12-05,2,41,,,S2\n")
    assert (result.status, result.message) == ("refused", REFUSED.format("order 4 line B #1"))


def test_a_refund_that_waits_for_its_order_holds_it_back_from_a_closed_month(workbench: Workbench) -> None:
    workbench.land(LINES)
    delivered(workbench, "refunds", "R1,9,,10,,2024-01-20")
    workbench.build()
    close_month(workbench.connection, date(2024, 1, 1), "anna")
    [result] = workbench.land(LINES.splitlines()[0] + "\n9,B,2023-12-05,1,41,,,S2\n")
    assert (result.status, result.message) == ("refused", REFUSED.format("order 9 line B #1"))


def test_nothing_that_nobody_built_yet_hides_a_change(closed: Workbench) -> None:
    delivered(closed, "unit_costs", "A,4,2024-01-01")
    result = delivered(closed, "unit_costs", "A,6,2024-01-01")
    assert (result.status, result.message) == ("refused", REFUSED.format("order 1 line A #1"))
    # With a cost from the first of January on, the one that is valid always no longer reaches the line.
    assert delivered(closed, "unit_costs", "A,6,").status == "landed"


def test_records_of_a_closed_month_are_voided_and_restored_only_by_opening_it(closed: Workbench) -> None:
    # While the refund is void, the store of its order changes nothing in the month.
    for restores, stores in ((False, "order 1 line A #1, order 4 line B #1"), (True, "order 1 line A #1")):
        for batch_id, changed in {2: "order 1 line A #1", 3: stores, 4: "refund R1 of order 4"}.items():
            with pytest.raises(LandingError) as refused:
                void(closed.connection, VoidRequest((batch_id,), restores))
            assert str(refused.value) == f"batch {batch_id}: {REFUSED.format(changed)}"
        assert closed.rows("select count(distinct status) from raw.batches where batch_id > 1") == [(1,)]
        void(closed.connection, VoidRequest((2, 3, 4), restores, reopen=True))
        assert closed_months(closed.connection) == []
        closed.build()
        close_month(closed.connection, date(2024, 1, 1), "anna")
    assert closed.rows("select distinct status from raw.batches") == [("landed",)]


def test_records_that_change_no_closed_month_are_voided_without_opening_it(closed: Workbench) -> None:
    result = delivered(closed, "unit_costs", "A,5,2024-02-01")
    assert result.batch_id is not None
    void(closed.connection, VoidRequest((result.batch_id,)))
    assert len(closed_months(closed.connection)) == 1


def test_a_batch_of_lines_whose_refund_is_in_a_closed_month_is_voided_only_by_opening_it(
    closed: Workbench,
) -> None:
    [result] = closed.land(LINES.splitlines()[0] + "\n4,B,2023-12-05,2,40,,,S2\n")
    assert result.status == "landed"
    with pytest.raises(LandingError, match=r"batch 5 has lines in months that are closed: 2024-01; if that"):
        void(closed.connection, VoidRequest((5,)))
