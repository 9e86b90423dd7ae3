"""Refreshes as jobs: started once for all who ask, followed, and canceled.

A job's row is committed before Dagster is called, so that whatever happens afterwards leaves a
trace; and it is compared with Dagster's run whenever somebody asks, so that a run that died
cannot stay "running" for ever.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from api.dagster import Dagster, DagsterUnavailable, LogPage, Run
from api.database import Database
from api.problems import Problem, problem_body
from api.queries import refreshes
from api.queries.refreshes import IN_FLIGHT, RefreshRequest

# A row without a run for longer than this was left by a service that ended before it could launch.
LAUNCH_GRACE = timedelta(seconds=60)

# Those whose run is a process of its own in a terminal: Dagster knows it, but cannot stop it.
IN_A_TERMINAL = ("cli", "first start")

Job = dict[str, Any]


def run_config(request: RefreshRequest, requested_by: str) -> dict[str, Any]:
    """The configuration of Dagster's job ``refresh``."""
    return {
        "resources": {
            "refresh_request": {
                "config": {
                    "full": request.is_full,
                    "mode": request.mode,
                    "sources": list(request.sources or ()),
                    "requested_by": requested_by,
                }
            }
        }
    }


def start(database: Database, dagster: Dagster, request: RefreshRequest, requested_by: str) -> Job:
    """The job that will answer this request: one in flight, or a new one.

    Raises:
        Problem: Dagster does not answer; no job was started.
    """
    with database.writing() as connection:
        waiting = refreshes.in_flight(connection)
    try:
        for job in waiting:
            _compare(database, dagster, job)
    except DagsterUnavailable as error:
        raise Problem("dagster_unavailable", error.detail) from error
    with database.writing() as connection:
        job, is_new = refreshes.join_or_queue(connection, request, requested_by)
    if not is_new:
        return job
    _launch(database, dagster, job["refresh_id"], request, requested_by)
    return find(database, job["refresh_id"])


def find(database: Database, refresh_id: UUID) -> Job:
    """A job as its row says.

    Raises:
        Problem: there is none.
    """
    with database.writing() as connection:
        job = refreshes.find_refresh(connection, refresh_id)
    if job is None:
        raise Problem("not_found", f"There is no refresh {refresh_id}.")
    return job


def follow(database: Database, dagster: Dagster, refresh_id: UUID) -> Job:
    """A job as it is now: its row, compared with Dagster's run while it is in flight.

    Raises:
        Problem: there is none.
    """
    job = find(database, refresh_id)
    try:
        if job["status"] in IN_FLIGHT:
            _compare(database, dagster, job)
            return find(database, refresh_id)
        if _is_tried_again(dagster, job):
            return job | {"status": "queued", "message": None, "finished_at": None}
    except DagsterUnavailable:
        # What is known can still be said.
        pass
    return job


def cancel(database: Database, dagster: Dagster, refresh_id: UUID) -> Job:
    """Ask a job to stop; it may take a moment, and a publish that has begun is not undone.

    Raises:
        Problem: there is none, it has ended, it cannot be stopped, or Dagster does not answer.
    """
    job = follow(database, dagster, refresh_id)
    if job["status"] not in IN_FLIGHT:
        raise Problem("job_finished", f"The refresh {refresh_id} has ended: {job['status']}.")
    if job["requested_by"] in IN_A_TERMINAL:
        raise Problem(
            "not_cancelable",
            f"The refresh {refresh_id} was started on the command line and runs in a terminal's own "
            "process: stop it there, with Ctrl+C.",
        )
    try:
        run = _run_of(dagster, job)
        if run is not None and run.status == "FAILURE" and run.is_alive:
            raise Problem(
                "not_cancelable",
                f"The process of the refresh {refresh_id} died and Dagster is about to try it again: ask "
                "again in a few seconds.",
            )
        if run is not None:
            dagster.terminate(run.run_id)
    except DagsterUnavailable as error:
        raise Problem("dagster_unavailable", error.detail) from error
    if run is None and not _cancel_without_run(database, job):
        # It got a run, or ended, in the meantime.
        return cancel(database, dagster, refresh_id)
    return follow(database, dagster, refresh_id)


def read_log(
    database: Database, dagster: Dagster, refresh_id: UUID, after: str | None, limit: int
) -> LogPage:  # fmt: skip
    """The log of a job's run after a cursor; empty while it has no run.

    Raises:
        Problem: there is no such job, or Dagster does not answer.
    """
    run_id = follow(database, dagster, refresh_id)["dagster_run_id"]
    if run_id is None:
        return LogPage([], after, False)
    try:
        return dagster.logs(run_id, after, limit)
    except DagsterUnavailable as error:
        raise Problem("dagster_unavailable", error.detail) from error


def _launch(
    database: Database, dagster: Dagster, refresh_id: UUID, request: RefreshRequest, requested_by: str
) -> None:
    try:
        run = _launched(dagster, refresh_id, request, requested_by)
    except DagsterUnavailable as error:
        problem = Problem("dagster_unavailable", error.detail)
        with database.writing() as connection:
            refreshes.finish(connection, refresh_id, "failed", problem_body(problem), run_id=None)
        raise problem from error
    with database.writing() as connection:
        refreshes.set_run(connection, refresh_id, run.run_id)
        job = refreshes.find_refresh(connection, refresh_id)
    if job is not None and job["status"] == "canceled":
        # Somebody canceled it before there was a run to stop.
        with suppress(DagsterUnavailable):
            dagster.terminate(run.run_id)


def _launched(dagster: Dagster, refresh_id: UUID, request: RefreshRequest, requested_by: str) -> Run:
    try:
        return dagster.launch_refresh(str(refresh_id), run_config(request, requested_by), requested_by)
    except DagsterUnavailable as error:
        # The answer may have been lost after the run was made.
        if error.is_certain:
            raise
        run = dagster.run_of(str(refresh_id))
        if run is None:
            raise
        return run


def _compare(database: Database, dagster: Dagster, job: Job) -> None:
    """Bring the row of a job in flight in line with its run."""
    run = _run_of(dagster, job)
    if run is None:
        if datetime.now(UTC) - job["requested_at"] > LAUNCH_GRACE:
            _end(database, job, "failed", "Dagster has no run for this refresh; ask for it again.")
        return
    if job["dagster_run_id"] is None:
        with database.writing() as connection:
            refreshes.set_run(connection, job["refresh_id"], run.run_id)
        job = job | {"dagster_run_id": run.run_id}
    if run.is_alive:
        return
    if run.status == "FAILURE":
        _end(database, job, "failed", "The run failed before it could say why; its log tells more.")
    else:
        _end(database, job, "canceled" if run.status == "CANCELED" else "succeeded")


def _run_of(dagster: Dagster, job: Job) -> Run | None:
    """The run that a job is with now.

    That is the one its row names (the pipeline writes rows for runs that nobody launched from here).
    Dagster tries a run whose process died once more, as a new run with the same tag, which names
    itself in the row when it begins; until then the row still names the dead one.
    """
    refresh_id = str(job["refresh_id"])
    if job["dagster_run_id"] is None:
        return dagster.run_of(refresh_id)
    named = dagster.find_run(job["dagster_run_id"])
    if named is None:
        return None
    if named.status != "FAILURE":
        return named
    # Without the tag, a retry begins a row of its own: this one has failed.
    return dagster.run_of(refresh_id) or replace(named, will_retry=False)


def _is_tried_again(dagster: Dagster, job: Job) -> bool:
    """Whether a refresh that was interrupted, and closed as failed, will go on in another run."""
    # A failure with a reason of its own is final.
    if job["status"] != "failed" or job["problem"] is not None or job["dagster_run_id"] is None:
        return False
    run = dagster.run_of(str(job["refresh_id"]))
    if run is None or (run.run_id == job["dagster_run_id"] and run.status != "FAILURE"):
        # Its own run may take a moment to end after it has closed the row.
        return False
    return run.is_alive


def _cancel_without_run(database: Database, job: Job) -> bool:
    with database.writing() as connection:
        return refreshes.finish(
            connection,
            job["refresh_id"],
            "canceled",
            message="Canceled before its run began.",
            run_id=job["dagster_run_id"],
        )


def _end(database: Database, job: Job, status: str, why: str | None = None) -> None:
    problem = problem_body(Problem("refresh_failed", why)) if why is not None else None
    with database.writing() as connection:
        refreshes.finish(connection, job["refresh_id"], status, problem, run_id=job["dagster_run_id"])
