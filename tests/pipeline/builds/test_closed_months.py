"""Closed months: what would change one is refused, unless it opens it again."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.landing import BatchResult, LandingError
from pipeline.landing.closed_months import close_month, closed_months
from pipeline.landing.voiding import VoidRequest, void
from tests.pipeline.builds.conftest import Workbench

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\n"
JANUARY = ["1,A,2024-01-05,1,10", "2,A,2024-01-06,1,20"]
OVERWRITE: dict[str, object] = {"mode": "overwrite", "force": True}
FULL = OVERWRITE | {"delivery": "full"}
FEBRUARY = ["3,A,2024-02-05,1,30"]


def delivery(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


@pytest.fixture
def closed(workbench: Workbench) -> Workbench:
    """Two months are published, and the first is closed."""
    workbench.land(delivery(*JANUARY, *FEBRUARY))
    workbench.build()
    assert close_month(workbench.connection, date(2024, 1, 1), "anna") is True
    assert close_month(workbench.connection, date(2024, 1, 1), "ben") is False
    return workbench


REFUSED = (
    "it would change months that are closed: 2024-01 ({}); if that is meant, say --reopen, which opens "
    "them again"
)


@pytest.mark.parametrize(
    ("rows", "options", "lines"),
    [
        (["9,A,2024-01-09,1,5"], {}, "order 9 line A #1"),
        (["1,A,2024-01-05,1,11"], {}, "order 1 line A #1"),
        (["1,A,2024-02-05,1,10"], {}, "order 1 line A #1"),
        (["3,A,2024-01-05,1,30"], {}, "order 3 line A #1"),
        ([*FEBRUARY, JANUARY[0]], OVERWRITE, "order 2 line A #1"),
        (
            [*FEBRUARY, JANUARY[1]],
            FULL,
            "order 1 line A #1",
        ),
    ],
    ids=["new", "corrected", "moved out", "moved in", "deleted", "deleted by a full delivery"],
)
def test_a_delivery_that_would_change_a_closed_month_is_refused(
    closed: Workbench, rows: list[str], options: dict[str, object], lines: str
) -> None:
    before = closed.rows("select count(*) from raw.order_lines")
    [result] = closed.land(delivery(*rows), **options)
    assert (result.status, result.message) == ("refused", REFUSED.format(lines))
    assert closed.rows("select count(*) from raw.order_lines") == before
    assert closed.rows("select count(*) from raw.deleted_lines") == [(0,)]
    assert [month for month, _, _ in closed_months(closed.connection)] == [date(2024, 1, 1)]

    [result] = closed.land(delivery(*rows), reopen=True, **options)
    assert (result.status, result.message) == ("landed", "opened closed months again: 2024-01")
    assert closed_months(closed.connection) == []


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (["4,A,2024-02-09,1,5"], {}),
        ([*JANUARY, "3,A,2024-02-05,1,31"], {}),
        ([*JANUARY, "5,A,2024-03-05,1,31"], OVERWRITE),
        ([*JANUARY, "5,A,2024-03-05,1,31"], FULL),
    ],
    ids=["an open month", "repeated as it was", "overwritten as it was", "delivered in full as it was"],
)
def test_what_leaves_the_closed_month_as_it_is_lands(
    closed: Workbench, rows: list[str], options: dict[str, object]
) -> None:
    [result] = closed.land(delivery(*rows), **options)
    assert (result.status, result.message) == ("landed", None)
    assert len(closed_months(closed.connection)) == 1


def test_many_lines_are_named_by_the_first_five(closed: Workbench) -> None:
    [result] = closed.land(delivery(*(f"N{n},A,2024-01-09,1,5" for n in range(7))))
    names = ", ".join(f"order N{n} line A #1" for n in range(5))
    assert result.message == REFUSED.format(f"{names} and more")


def test_another_source_may_not_add_to_it_either(closed: Workbench) -> None:
    [result] = closed.land(delivery("1,A,2024-01-09,1,5"), source="till")
    assert result.status == "refused"


def test_a_batch_in_a_closed_month_is_voided_only_by_opening_it(closed: Workbench, tmp_path: Path) -> None:
    batch = BatchResult(1, "", "default", "landed")
    with pytest.raises(LandingError, match=r"batch 1 has lines in months that are closed: 2024-01; if that"):
        void(closed.connection, VoidRequest((batch.batch_id or 0,)))
    assert closed.rows("select status from raw.batches") == [("landed",)]
    void(closed.connection, VoidRequest((1,), reopen=True))
    assert closed.rows("select status from raw.batches") == [("voided",)]
    assert closed_months(closed.connection) == []


def test_a_build_that_changes_a_closed_month_says_so(closed: Workbench) -> None:
    message = "select message from core.builds order by build_id desc limit 1"
    closed.connection.execute("update core.builds set project_hash = 'older'")
    assert closed.build().message == "Build 2 published."
    assert closed.rows(message) == [(None,)]

    # As if other models had made the numbers of both months.
    closed.connection.execute("update core.builds set project_hash = 'older'")
    closed.connection.execute("update marts.revenue_daily set discounts = 1, net_revenue = net_revenue - 1")
    warning = (
        "It changed closed months: 2024-01. What was reported of them no longer holds; "
        "/api/v1/builds/3/changes has the difference."
    )
    assert closed.build().message == f"Build 3 published. {warning}"
    assert closed.rows(message) == [(warning,)]
    assert len(closed_months(closed.connection)) == 1


def test_a_build_whose_delivery_opened_the_month_says_nothing_of_it(closed: Workbench) -> None:
    closed.land(delivery("9,A,2024-01-09,1,5"), reopen=True)
    assert closed.build().message == "Build 2 published."
