"""The record of jobs."""

from typing import Any
from uuid import uuid4

import pytest

from pipeline.builds import job_log
from pipeline.builds.job_log import JobCanceled
from tests.pipeline.builds.conftest import Workbench


def begin(workbench: Workbench, job_id: str | None = None, *, takes_inbox: bool = True) -> str:
    return job_log.begin_refresh(
        workbench.connection,
        job_id=job_id,
        run_id=str(uuid4()),
        requested_by="test",
        request={},
        takes_inbox=takes_inbox,
    )


def status(workbench: Workbench, job_id: str) -> tuple[str, bool]:
    rows = workbench.rows("select job_id::text, status, batches_fixed_at is not null from app.jobs")
    return {row[0]: (row[1], row[2]) for row in rows}[job_id]


def test_a_refresh_that_was_given_its_files_can_be_joined_by_nobody(workbench: Workbench) -> None:
    assert status(workbench, begin(workbench)) == ("running", False)
    assert status(workbench, begin(workbench, takes_inbox=False)) == ("running", True)


def test_beginning_closes_what_a_dead_process_left_running(workbench: Workbench) -> None:
    first = begin(workbench)
    second = begin(workbench)
    assert status(workbench, first) == ("failed", False)
    assert status(workbench, second) == ("running", False)


def test_a_retried_run_carries_on_its_refresh(workbench: Workbench) -> None:
    job_id = begin(workbench)
    job_log.finish(workbench.connection, job_id, "failed", job_log.INTERRUPTED)
    assert begin(workbench, job_id) == job_id
    assert status(workbench, job_id) == ("running", False)


def test_a_refresh_canceled_before_it_began_does_not_begin(workbench: Workbench) -> None:
    job_id = begin(workbench)
    job_log.finish(workbench.connection, job_id, "canceled", "no")
    with pytest.raises(JobCanceled):
        begin(workbench, job_id)
    assert status(workbench, job_id) == ("canceled", False)


def test_a_closed_refresh_stays_as_it_was_closed(workbench: Workbench) -> None:
    job_id = begin(workbench)
    job_log.finish(workbench.connection, job_id, "succeeded", "done")
    job_log.finish(workbench.connection, job_id, "failed", "late")
    assert status(workbench, job_id) == ("succeeded", False)


def test_the_message_says_how_many_files_were_refused(workbench: Workbench) -> None:
    job_id = begin(workbench)
    job_log.add_counts(workbench.connection, job_id, {"files": 3, "files_refused": 2})
    job_log.finish(workbench.connection, job_id, "succeeded", "Build 1 published.")
    assert workbench.rows("select message from app.jobs") == [
        ("Build 1 published. Files refused: 2 (see the batches).",)
    ]


def import_of(workbench: Workbench, files: list[dict[str, Any]]) -> tuple[Any, ...]:
    """What an import that ends well with these files is in the end."""
    job_id = str(uuid4())
    workbench.connection.execute(
        "insert into app.jobs (job_id, kind, status, requested_by) values (%s, 'import', 'queued', 'api')",
        (job_id,),
    )
    assert begin(workbench, job_id, takes_inbox=False) == job_id
    refused = sum(file["status"] == "refused" for file in files)
    job_log.set_progress(workbench.connection, job_id, {"rows_read": 1})
    job_log.add_counts(workbench.connection, job_id, {"files": len(files), "files_refused": refused})
    job_log.set_result(workbench.connection, job_id, {"files": files})
    job_log.finish(workbench.connection, job_id, "succeeded", "Build 1 published.")
    [found] = workbench.rows("select kind, status, message, problem, counts from app.jobs")
    return found


def test_an_import_of_which_a_file_was_refused_has_failed_and_says_why(workbench: Workbench) -> None:
    files: list[dict[str, Any]] = [
        {"name": "a.csv", "status": "landed", "message": None},
        {"name": "b.csv", "status": "refused", "message": "the file is empty"},
    ]
    assert import_of(workbench, files) == (
        "import",
        "failed",
        "Build 1 published. Files refused: 1 (see the batches).",
        {"code": "file_refused", "detail": "b.csv: the file is empty."},
        {"files": 2, "files_refused": 1},
    )


def test_an_import_whose_files_all_landed_has_succeeded(workbench: Workbench) -> None:
    found = import_of(workbench, [{"name": "a.csv", "status": "landed", "message": None}])
    assert found[1:4] == ("succeeded", "Build 1 published.", None)


def test_a_refresh_leaves_the_jobs_beside_it_running(workbench: Workbench) -> None:
    job_id = str(uuid4())
    workbench.connection.execute(
        "insert into app.jobs (job_id, kind, status, requested_by) values (%s, 'check', 'queued', 'api')",
        (job_id,),
    )
    job_log.begin(workbench.connection, job_id, "run-1")
    begin(workbench)
    assert status(workbench, job_id) == ("running", False)
    assert job_log.close_leftovers(workbench.connection, ["run-1"]) == 1
    assert status(workbench, job_id) == ("failed", False)
