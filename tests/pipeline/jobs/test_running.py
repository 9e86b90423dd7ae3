"""What a running job says of itself in its row."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from pipeline.jobs import running
from pipeline.jobs.rows import add_result, finish
from pipeline.jobs.running import JobCanceled
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

Pg = psycopg.Connection[TupleRow]


@pytest.fixture
def owner(warehouse: Warehouse) -> Iterator[Pg]:
    """The owner's connection, which commits each statement."""
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        yield connection


def begin(owner: Pg, job_id: str | None = None, *, takes_inbox: bool = True) -> tuple[str, str]:
    """Begin a refresh in a run of its own; the job and the run."""
    run_id = str(uuid4())
    begun = running.begin_refresh(
        owner, job_id=job_id, run_id=run_id, requested_by="test", request={}, takes_inbox=takes_inbox
    )
    return begun, run_id


def status(owner: Pg, job_id: str) -> tuple[Any, ...] | None:
    return owner.execute(
        "select status, batches_fixed_at is not null from app.jobs where job_id = %s", (job_id,)
    ).fetchone()


def queue(owner: Pg, kind: str) -> str:
    job_id = str(uuid4())
    owner.execute(
        "insert into app.jobs (job_id, kind, status, requested_by) values (%s, %s, 'queued', 'api')",
        (job_id, kind),
    )
    return job_id


def test_a_refresh_that_was_given_its_files_can_be_joined_by_nobody(owner: Pg) -> None:
    assert status(owner, begin(owner)[0]) == ("running", False)
    assert status(owner, begin(owner, takes_inbox=False)[0]) == ("running", True)


def test_beginning_closes_what_a_dead_process_left_running(owner: Pg) -> None:
    first, _ = begin(owner)
    second, _ = begin(owner)
    assert status(owner, first) == ("failed", False)
    assert status(owner, second) == ("running", False)


def test_a_retried_run_carries_on_its_refresh_and_the_first_cannot_end_it(owner: Pg) -> None:
    job_id, first = begin(owner)
    finish(owner, job_id, first, "failed", running.INTERRUPTED)
    assert begin(owner, job_id)[0] == job_id
    assert not finish(owner, job_id, first, "failed", "late")
    assert status(owner, job_id) == ("running", False)


def test_a_run_that_died_after_its_numbers_were_published_is_not_begun_again(owner: Pg) -> None:
    job_id, run_id = begin(owner)
    finish(owner, job_id, run_id, "succeeded", "Build 1 published.")
    with pytest.raises(JobCanceled):
        begin(owner, job_id)
    assert status(owner, job_id) == ("succeeded", False)


def test_a_refresh_canceled_before_it_began_does_not_begin(owner: Pg) -> None:
    job_id, run_id = begin(owner)
    finish(owner, job_id, run_id, "canceled", "no")
    with pytest.raises(JobCanceled):
        begin(owner, job_id)
    assert status(owner, job_id) == ("canceled", False)


def test_a_closed_refresh_stays_as_it_was_closed(owner: Pg) -> None:
    job_id, run_id = begin(owner)
    assert finish(owner, job_id, run_id, "succeeded", "done")
    assert not finish(owner, job_id, run_id, "failed", "late")
    assert status(owner, job_id) == ("succeeded", False)


def test_the_message_says_how_many_files_were_refused(owner: Pg) -> None:
    job_id, run_id = begin(owner)
    running.add_counts(owner, job_id, {"files": 3, "files_refused": 2})
    finish(owner, job_id, run_id, "succeeded", "Build 1 published.")
    assert owner.execute("select message from app.jobs").fetchall() == [
        ("Build 1 published. Files refused: 2 (see the batches).",)
    ]


def import_of(owner: Pg, files: list[dict[str, Any]]) -> tuple[Any, ...]:
    """What an import that ends well with these files is in the end."""
    job_id, run_id = begin(owner, queue(owner, "import"), takes_inbox=False)
    refused = sum(file["status"] == "refused" for file in files)
    running.set_progress(owner, job_id, {"rows_read": 1})
    running.add_counts(owner, job_id, {"files": len(files), "files_refused": refused})
    add_result(owner, job_id, {"files": files})
    finish(owner, job_id, run_id, "succeeded", "Build 1 published.")
    [found] = owner.execute("select kind, status, message, problem, counts from app.jobs").fetchall()
    return found


def test_an_import_of_which_a_file_was_refused_has_failed_and_says_why(owner: Pg) -> None:
    files: list[dict[str, Any]] = [
        {"name": "a.csv", "status": "landed", "message": None},
        {"name": "b.csv", "status": "refused", "message": "the file is empty"},
    ]
    assert import_of(owner, files) == (
        "import",
        "failed",
        "Build 1 published. Files refused: 1 (see the batches).",
        {"code": "file_refused", "detail": "b.csv: the file is empty."},
        {"files": 2, "files_refused": 1},
    )


def test_an_import_whose_files_all_landed_has_succeeded(owner: Pg) -> None:
    found = import_of(owner, [{"name": "a.csv", "status": "landed", "message": None}])
    assert found[1:4] == ("succeeded", "Build 1 published.", None)


def test_a_refresh_leaves_the_jobs_beside_it_running(owner: Pg) -> None:
    job_id = queue(owner, "check")
    running.begin(owner, job_id, "run-1")
    begin(owner)
    assert status(owner, job_id) == ("running", False)
    assert running.close_leftovers(owner, ["run-1"]) == 1
    assert status(owner, job_id) == ("failed", False)
