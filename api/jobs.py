"""Refreshes, imports and exports as jobs: started once for all who ask, followed, and canceled.

A job's row is committed before Dagster is called, so that whatever happens afterwards leaves a
trace; and it is compared with Dagster's run whenever somebody asks, so that a run that died
cannot stay "running" for ever.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from api.dagster import JOB_TAG, DagsterUnavailable, LogPage, Run
from api.problems import Problem, problem_body
from api.services import services
from pipeline.jobs import asking, rows
from pipeline.jobs.asking import Key, NewJob
from pipeline.jobs.rows import IN_FLIGHT, LAUNCH_GRACE, Job, Kind

# Those whose run is a process of its own in a terminal: Dagster knows it, but cannot stop it.
IN_A_TERMINAL = ("cli", "first start")

# What a job is called, and the problem of one that failed.
WORDS: Mapping[Kind, str] = {"refresh": "refresh", "import": "import", "check": "import", "export": "export"}


@dataclass(frozen=True)
class Launch:
    """The run that does a job.

    Attributes:
        dagster_job: the name of Dagster's job.
        run_config: its configuration.
        put_away: removes what was made for the run; called when it surely was not launched.
    """

    dagster_job: str
    run_config: Mapping[str, Any]
    put_away: Callable[[], object] = lambda: None


def start(new: NewJob, launch: Launch, key_value: str | None) -> tuple[Job, bool]:
    """The job that will answer this request, and whether an earlier request with its key got it.

    That is a new one, or for a refresh one in flight. When nobody knows whether its run was launched,
    it is queued: following it tells.

    Raises:
        Problem: the key cannot be used, or the caller has enough jobs in flight.
        DagsterUnavailable: Dagster does not answer, and no job was started.
    """
    try:
        job, is_new, is_replayed = _recorded(new, key_value)
    except BaseException:
        launch.put_away()
        raise
    if not is_new:
        launch.put_away()
        return job, is_replayed
    _launch(job, launch, new.request_id)
    return find((new.kind,), job["job_id"]), False


def find(kinds: tuple[Kind, ...], job_id: UUID) -> Job:
    """A job of these kinds as its row says.

    Raises:
        Problem: there is none.
    """
    with services().database.writing() as connection:
        job = rows.find_job(connection, job_id)
    if job is None or job["kind"] not in kinds:
        raise Problem("not_found", f"There is no {WORDS[kinds[0]]} {job_id}.")
    return job


def follow(kinds: tuple[Kind, ...], job_id: UUID) -> Job:
    """A job as it is now: its row, compared with Dagster's run while it is in flight.

    Raises:
        Problem: there is none.
    """
    job = find(kinds, job_id)
    try:
        if job["status"] in IN_FLIGHT:
            _compare(job)
            return find(kinds, job_id)
        if _is_tried_again(job):
            return job | {"status": "queued", "message": None, "finished_at": None}
    except DagsterUnavailable:
        # What is known can still be said.
        pass
    return job


def cancel(kinds: tuple[Kind, ...], job_id: UUID) -> Job:
    """Ask a job to stop; it may take a moment, and a publish that has begun is not undone.

    Raises:
        Problem: there is none, it has ended, or it cannot be stopped.
        DagsterUnavailable: Dagster does not answer.
    """
    job = follow(kinds, job_id)
    named = f"The {WORDS[job['kind']]} {job_id}"
    if job["status"] not in IN_FLIGHT:
        raise Problem("job_finished", f"{named} has ended: {job['status']}.")
    if job["requested_by"] in IN_A_TERMINAL:
        raise Problem(
            "not_cancelable",
            f"{named} was started on the command line and runs in a terminal's own "
            "process: stop it there, with Ctrl+C.",
        )
    run = _run_of(job)
    if run is not None and run.status == "FAILURE" and run.is_alive:
        detail = f"{named} lost its process and Dagster is about to try it again: ask again in a few seconds."
        raise Problem("not_cancelable", detail)
    if run is not None:
        services().dagster.terminate(run.run_id)
    if run is None and not _end(job, "canceled", "Canceled before its run began."):
        # It got a run, or ended, in the meantime.
        return cancel(kinds, job_id)
    return follow(kinds, job_id)


def read_log(job_id: UUID, after: str | None, limit: int) -> LogPage:
    """The log of a refresh's run after a cursor; empty while it has no run.

    Raises:
        Problem: there is no such refresh.
        DagsterUnavailable: Dagster does not answer.
    """
    run_id = follow(("refresh",), job_id)["dagster_run_id"]
    return LogPage([], after, False) if run_id is None else services().dagster.logs(run_id, after, limit)


def _recorded(new: NewJob, key_value: str | None) -> tuple[Job, bool, bool]:
    """The job on record, whether it is new, and whether an earlier request with this key got it."""
    key = None
    if key_value is not None:
        content = msgspec.json.encode([new.kind, new.request], order="sorted")
        key = Key(key_value, hashlib.sha256(content).hexdigest())
        with services().database.writing() as connection:
            if earlier := _earlier(connection, new, key):
                return earlier, False, True
    if new.is_joinable or new.most is not None:
        with services().database.writing() as connection:
            waiting = rows.in_flight(connection, new.kind)
        for job in waiting:
            _compare(job)
    with services().database.writing() as connection:
        # The same request may have been here in the meantime.
        if key is not None and (earlier := _earlier(connection, new, key)):
            return earlier, False, True
        try:
            return *asking.join_or_queue(connection, new, key), False
        except asking.TooManyJobs as error:
            detail = f"You have {new.most} jobs of this kind under way: wait for one, or cancel one."
            raise Problem("too_many_jobs", detail) from error


def _earlier(connection: Connection[TupleRow], new: NewJob, key: Key) -> Job | None:
    try:
        return asking.find_by_key(connection, new.principal_id, key)
    except asking.KeyBusy as error:
        raise Problem(
            "idempotency_conflict", f"A request with the Idempotency-Key {key.value!r} is under way."
        ) from error
    except asking.KeyReused as error:
        raise Problem(
            "idempotency_key_reused",
            f"The Idempotency-Key {key.value!r} came with another request before; use a new one.",
        ) from error


def _launch(job: Job, launch: Launch, request_id: str) -> None:
    job_id = job["job_id"]
    tags = {
        JOB_TAG: str(job_id),
        "tillhouse/requested_by": job["requested_by"],
        "tillhouse/request_id": request_id,
    }
    try:
        run = services().dagster.launch(launch.dagster_job, launch.run_config, tags)
    except DagsterUnavailable as error:
        if not error.is_certain:
            # The answer may have been lost after the run was made.
            with suppress(DagsterUnavailable):
                _compare(job)
            return
        launch.put_away()
        _end(job, "failed", problem=Problem("dagster_unavailable", error.detail))
        raise
    with services().database.writing() as connection:
        rows.set_run(connection, job_id, run.run_id)
        now = rows.find_job(connection, job_id)
    if now is not None and now["status"] == "canceled":
        # Somebody canceled it before there was a run to stop.
        with suppress(DagsterUnavailable):
            services().dagster.terminate(run.run_id)


def _compare(job: Job) -> None:
    """Bring the row of a job in flight in line with its run."""
    word = WORDS[job["kind"]]
    run = _run_of(job)
    if run is None:
        if datetime.now(UTC) - job["requested_at"] > LAUNCH_GRACE:
            why = f"Dagster has no run for this {word}; ask for it again."
            _end(job, "failed", problem=Problem(f"{word}_failed", why))
        return
    if job["dagster_run_id"] is None:
        with services().database.writing() as connection:
            rows.set_run(connection, job["job_id"], run.run_id)
        job = job | {"dagster_run_id": run.run_id}
    if run.is_alive:
        return
    if run.status == "FAILURE":
        why = "The run failed before it could say why; its log tells more."
        _end(job, "failed", problem=Problem(f"{word}_failed", why))
    else:
        _end(job, "canceled" if run.status == "CANCELED" else "succeeded")


def _run_of(job: Job) -> Run | None:
    """The run that a job is with now.

    That is the one its row names (the pipeline writes rows for runs that nobody launched from here).
    Dagster tries a run whose process died once more, as a new run with the same tag, which names
    itself in the row when it begins; until then the row still names the dead one.
    """
    job_id = str(job["job_id"])
    if job["dagster_run_id"] is None:
        return services().dagster.run_of(job_id)
    named = services().dagster.find_run(job["dagster_run_id"])
    if named is None:
        return None
    if named.status != "FAILURE":
        return named
    # Without the tag, a retry begins a row of its own: this one has failed.
    return services().dagster.run_of(job_id) or replace(named, will_retry=False)


def _is_tried_again(job: Job) -> bool:
    """Whether a job that was interrupted, and closed as failed, will go on in another run."""
    # A failure with a reason of its own is final.
    if job["status"] != "failed" or job["problem"] is not None or job["dagster_run_id"] is None:
        return False
    run = services().dagster.run_of(str(job["job_id"]))
    if run is None or (run.run_id == job["dagster_run_id"] and run.status != "FAILURE"):
        # Its own run may take a moment to end after it has closed the row.
        return False
    return run.is_alive


def _end(job: Job, status: str, message: str | None = None, problem: Problem | None = None) -> bool:
    """End a job that is still with the run that was looked at; whether it was."""
    told = None if problem is None else problem_body(problem)
    with services().database.writing() as connection:
        return rows.finish(connection, job["job_id"], job["dagster_run_id"], status, message, told)
