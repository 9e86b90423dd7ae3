"""The record of refreshes."""

from uuid import uuid4

import pytest

from pipeline.builds import refresh_log
from pipeline.builds.refresh_log import RefreshCanceled
from tests.pipeline.builds.conftest import Workbench


def begin(workbench: Workbench, refresh_id: str | None = None, *, takes_inbox: bool = True) -> str:
    return refresh_log.begin(
        workbench.connection,
        refresh_id=refresh_id,
        run_id=str(uuid4()),
        requested_by="test",
        full=False,
        mode=None,
        sources=[],
        takes_inbox=takes_inbox,
    )


def status(workbench: Workbench, refresh_id: str) -> tuple[str, bool]:
    rows = workbench.rows("select refresh_id::text, status, batches_fixed_at is not null from app.refreshes")
    return {row[0]: (row[1], row[2]) for row in rows}[refresh_id]


def test_a_refresh_that_was_given_its_files_can_be_joined_by_nobody(workbench: Workbench) -> None:
    assert status(workbench, begin(workbench)) == ("running", False)
    assert status(workbench, begin(workbench, takes_inbox=False)) == ("running", True)


def test_beginning_closes_what_a_dead_process_left_running(workbench: Workbench) -> None:
    first = begin(workbench)
    second = begin(workbench)
    assert status(workbench, first) == ("failed", False)
    assert status(workbench, second) == ("running", False)


def test_a_retried_run_carries_on_its_refresh(workbench: Workbench) -> None:
    refresh_id = begin(workbench)
    refresh_log.finish(workbench.connection, refresh_id, "failed", refresh_log.INTERRUPTED)
    assert begin(workbench, refresh_id) == refresh_id
    assert status(workbench, refresh_id) == ("running", False)


def test_a_refresh_canceled_before_it_began_does_not_begin(workbench: Workbench) -> None:
    refresh_id = begin(workbench)
    refresh_log.finish(workbench.connection, refresh_id, "canceled", "no")
    with pytest.raises(RefreshCanceled):
        begin(workbench, refresh_id)
    assert status(workbench, refresh_id) == ("canceled", False)


def test_a_closed_refresh_stays_as_it_was_closed(workbench: Workbench) -> None:
    refresh_id = begin(workbench)
    refresh_log.finish(workbench.connection, refresh_id, "succeeded", "done")
    refresh_log.finish(workbench.connection, refresh_id, "failed", "late")
    assert status(workbench, refresh_id) == ("succeeded", False)


def test_the_message_says_how_many_files_were_refused(workbench: Workbench) -> None:
    refresh_id = begin(workbench)
    refresh_log.add_counts(workbench.connection, refresh_id, {"files": 3, "files_refused": 2})
    refresh_log.finish(workbench.connection, refresh_id, "succeeded", "Build 1 published.")
    assert workbench.rows("select message from app.refreshes") == [
        ("Build 1 published. Files refused: 2 (see the batches).",)
    ]
