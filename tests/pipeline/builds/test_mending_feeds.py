"""Rejected rows of the other feeds that come in later: under their own numbers, equal to a full build."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.landing import BatchResult, LandingError
from pipeline.landing.closed_months import close_month, closed_months
from pipeline.landing.replaying import ReplayRequest, replay
from pipeline.sources import FeedName, SourceSettings
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_builds_equal_the_oracle import assert_nothing_left_for_a_full_build
from tests.pipeline.builds.test_mending import counts, rejects_file, tried

LINES = (
    "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Category,Region,Store ID\n"
    "1,A,2024-01-05,1,1000,,,S1\n"
    "2,B,2024-02-05,1,2000,,,S2\n"
)
COSTS = "Product ID,Unit Cost\n"
REFUNDS = "Refund ID,Order ID,Amount,Refund Date\n"

# A feed → its file, of which the second row is rejected; its correction; what is in its table then.
CORRECTED: dict[FeedName, tuple[str, tuple[str, str], str, list[tuple[Any, ...]]]] = {
    "unit_costs": (
        COSTS + "A,4\nB,five\n",
        (",five,", ",5,"),
        "select row_number, product_id, cost, valid_from, extra from raw.unit_costs order by 1",
        [(2, "A", Decimal(4), None, None), (3, "B", Decimal(5), None, None)],
    ),
    "refunds": (
        REFUNDS + "R1,1,10,2024-03-01\nR2,2,20,soon\n",
        (",soon,", ",2024-03-02,"),
        "select row_number, refund_id, order_id, amount, refund_date from raw.refunds order by 1",
        [(2, "R1", "1", Decimal(10), date(2024, 3, 1)), (3, "R2", "2", Decimal(20), date(2024, 3, 2))],
    ),
    "stores": (
        "Store ID,Region,Floors\nS1,North,1\n,South,2\n",
        ("\n,South,2", "\nS2,South,2"),
        "select row_number, store_id, region, extra from raw.stores order by 1",
        [(2, "S1", "North", {"Floors": "1"}), (3, "S2", "South", {"Floors": "2"})],
    ),
    "products": (
        "Product ID,Category,List Price\nA,Hats,1\nB,Caps,-2\n",
        (",'-2,", ",2,"),
        "select row_number, product_id, category, list_price from raw.product_records order by 1",
        [(2, "A", "Hats", Decimal(1)), (3, "B", "Caps", Decimal(2))],
    ),
    "customers": (
        "Customer ID,Name\nC1,Sarah\n,Tom\n",
        ("\n,Tom", "\nC2,Tom"),
        "select row_number, customer_id, name from raw.customer_records order by 1",
        [(2, "C1", "Sarah"), (3, "C2", "Tom")],
    ),
}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "originals"


def landed(workbench: Workbench, feed: FeedName, text: str, kept: Path) -> BatchResult:
    [result] = workbench.land(text, feed=feed, originals=kept)
    assert result.status == "landed", result.message
    return result


@pytest.mark.parametrize("feed", CORRECTED)
def test_corrected_rows_join_their_batch_under_their_numbers(
    workbench: Workbench, kept: Path, feed: FeedName
) -> None:
    text, (wrong, right), query, stored = CORRECTED[feed]
    settings = SourceSettings(feed=feed)
    batch = landed(workbench, feed, text, kept)
    [reason] = batch.reasons
    path = rejects_file(workbench, batch, kept, settings)

    # As it is, it is rejected again, and nothing has changed.
    result = tried(workbench, batch, kept, settings, corrected=path)
    assert (result.rows_accepted, result.rows_quarantined, result.reasons) == (0, 1, {reason: 1})
    assert counts(workbench, batch) == (2, 1, 1, {reason: 1})
    assert workbench.rows(query) == stored[:1]

    assert path.read_text().count(wrong) == 1
    path.write_text(path.read_text().replace(wrong, right))
    result = tried(workbench, batch, kept, settings, corrected=path)
    assert (result.rows_accepted, result.rows_quarantined, result.reasons) == (1, 0, {})
    assert counts(workbench, batch) == (2, 2, 0, {})
    assert workbench.rows(query) == stored
    assert workbench.rows("select row_number, reasons from raw.replayed_rows") == [(3, [reason])]
    assert workbench.rows("select event, rows from raw.batch_events") == [("replayed", 1)]
    with pytest.raises(LandingError, match="tillhouse_row names none of the batch's rejected rows"):
        tried(workbench, batch, kept, settings, corrected=path)


def test_rows_that_a_changed_setting_accepts_are_in_the_next_build(workbench: Workbench, kept: Path) -> None:
    workbench.land(LINES)
    batch = landed(workbench, "unit_costs", COSTS + 'A,4\nA,"1,000.50"\nB,"1,500.25"\nB,\n', kept)
    assert (batch.rows_accepted, batch.rows_quarantined) == (1, 3)
    landed(workbench, "unit_costs", COSTS + "B,1600\n", kept)
    workbench.build()
    costs = "select order_id, unit_cost, net_revenue from core.fct_order_lines order by order_id"
    assert workbench.rows(costs) == [("1", 4, 1000), ("2", 1600, 2000)]

    result = tried(workbench, batch, kept, SourceSettings(feed="unit_costs", thousands_mark=","))
    assert (result.rows_accepted, result.rows_quarantined) == (2, 1)
    assert counts(workbench, batch) == (4, 3, 1, {"cost_missing": 1})
    published = workbench.build()
    # The first product's later row counts; of the second one, the later delivery still does.
    assert workbench.rows(costs) == [("1", Decimal("1000.5"), 1000), ("2", 1600, 2000)]
    assert published.rows_changed["core.fct_order_lines"] == {"written": 1, "deleted": 0}
    assert_nothing_left_for_a_full_build(workbench)


def test_a_replayed_refund_counts_on_its_own_date_with_the_line_of_its_file(
    workbench: Workbench, kept: Path
) -> None:
    workbench.land(LINES)
    text, (wrong, right), _, _ = CORRECTED["refunds"]
    batch = landed(workbench, "refunds", text, kept)
    workbench.build()
    path = rejects_file(workbench, batch, kept, SourceSettings(feed="refunds"))
    path.write_text(path.read_text().replace(wrong, right))
    tried(workbench, batch, kept, SourceSettings(feed="refunds"), corrected=path)
    workbench.build()
    assert workbench.rows(
        "select sale_date::text, returns, net_revenue from marts.revenue_daily order by sale_date"
    ) == [
        ("2024-01-05", 0, 1000),
        ("2024-02-05", 0, 2000),
        ("2024-03-01", 10, -10),
        ("2024-03-02", 20, -20),
    ]
    assert workbench.rows("select refund_id, row_number, status from core.fct_refunds order by 1") == [
        ("R1", 2, "applied"),
        ("R2", 3, "applied"),
    ]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_replay_changes_a_closed_month_only_when_it_is_told_to(workbench: Workbench, kept: Path) -> None:
    workbench.land(LINES)
    text = COSTS + "A,4\nA,five\nB,six\n"
    batch = landed(workbench, "unit_costs", text, kept)
    workbench.build()
    assert close_month(workbench.connection, date(2024, 1, 1), "anna")
    path = workbench.folder / "corrected.csv"
    head = COSTS.strip() + ",tillhouse_row\n"

    path.write_text(head + "A,5,3\n")
    with pytest.raises(LandingError, match=r"would change months .*closed: 2024-01 \(order 1 line A #1\)"):
        again(workbench, batch, kept, path)
    assert counts(workbench, batch) == (3, 1, 2, {"cost_invalid": 2})
    assert workbench.rows("select product_id, cost from raw.unit_costs") == [("A", 4)]

    # What the batch had before is no change of the month.
    path.write_text(head + "B,6,4\n")
    assert again(workbench, batch, kept, path).rows_accepted == 1
    assert [month for month, _, _ in closed_months(workbench.connection)] == [date(2024, 1, 1)]

    path.write_text(head + "A,5,3\n")
    result = again(workbench, batch, kept, path, reopen=True)
    assert result.message == "1 rejected rows were accepted; opened closed months again: 2024-01"
    assert closed_months(workbench.connection) == []


def test_a_line_that_comes_in_later_leaves_the_closed_months_of_its_batch_alone(
    workbench: Workbench, kept: Path
) -> None:
    [batch] = workbench.land(LINES + "3,A,2024-02-06,x,1,,,\n4,A,2024-01-31,x,1,,,\n", originals=kept)
    workbench.build()
    assert close_month(workbench.connection, date(2024, 1, 1), "anna")
    path = workbench.folder / "corrected.csv"
    head = LINES.splitlines()[0] + ",tillhouse_row\n"
    path.write_text(head + "4,A,2024-01-31,1,1,,,,5\n")
    with pytest.raises(LandingError, match=r"closed: 2024-01 \(order 4 line A #1\)"):
        tried(workbench, batch, kept, corrected=path)
    path.write_text(head + "3,A,2024-02-06,1,1,,,,4\n")
    assert tried(workbench, batch, kept, corrected=path).rows_accepted == 1
    assert [month for month, _, _ in closed_months(workbench.connection)] == [date(2024, 1, 1)]


def again(
    workbench: Workbench, batch: BatchResult, kept: Path, corrected: Path, *, reopen: bool = False
) -> BatchResult:
    settings = SourceSettings(feed="unit_costs")
    request = ReplayRequest(batch.batch_id or 0, settings, kept, corrected, reopen=reopen)
    return replay(workbench.connection, request)
