"""``app.jobs``: what was asked for, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from pipeline.errors import TillhouseError

INTERRUPTED = "The process ended before the job was complete; nothing that readers see was changed."

# The kinds of jobs that hold the refresh lock while they run.
_LOCKED = ["refresh", "import"]


class JobCanceled(TillhouseError):
    """The job was canceled before it began."""


def begin_refresh(
    connection: Connection,
    *,
    job_id: str | None,
    run_id: str,
    requested_by: str,
    request: Mapping[str, Any],
    takes_inbox: bool,
) -> str:
    """Mark a refresh as running, or record it when nobody did before (CLI, schedule, inbox).

    The caller holds the refresh lock, so every other row of a job that holds it and is still running
    is a leftover: it is closed. A refresh that was given its files takes in nothing else, so nobody
    may join it.

    Returns:
        The job's id.

    Raises:
        JobCanceled: whoever asked has canceled it meanwhile.
    """
    with connection.transaction():
        connection.execute(
            """
            update app.jobs
            set status = 'failed', finished_at = now(), message = %s
            where status = 'running' and kind = any(%s) and dagster_run_id is distinct from %s
            """,
            (INTERRUPTED, _LOCKED, run_id),
        )
        # A retried run carries on its job: what the first try left is wiped.
        row = connection.execute(
            """
            insert into app.jobs (
                job_id, kind, status, requested_by, request, dagster_run_id, started_at, batches_fixed_at
            )
            values (
                coalesce(%(job_id)s::uuid, gen_random_uuid()), 'refresh', 'running', %(requested_by)s,
                %(request)s, %(run_id)s, now(), case when not %(takes_inbox)s then now() end
            )
            on conflict (job_id) do update
            set
                status = 'running', dagster_run_id = excluded.dagster_run_id, started_at = now(),
                batches_fixed_at = excluded.batches_fixed_at, finished_at = null, build_id = null,
                problem = null, message = null
            where jobs.status <> 'canceled'
            returning job_id
            """,
            {
                "job_id": job_id,
                "requested_by": requested_by,
                "request": Jsonb(dict(request)),
                "run_id": run_id,
                "takes_inbox": takes_inbox,
            },
        ).fetchone()
    if row is None:
        raise JobCanceled("This refresh was canceled before it began; nothing was done.")
    return str(row[0])


def begin(connection: Connection, job_id: str, run_id: str) -> None:
    """Mark a job that the API recorded as running; a retried run carries on its job.

    Raises:
        JobCanceled: whoever asked has canceled it meanwhile, or there is no such job.
    """
    begun = connection.execute(
        """
        update app.jobs
        set
            status = 'running', dagster_run_id = %s, started_at = now(), finished_at = null,
            problem = null, message = null
        where job_id = %s and status <> 'canceled'
        """,
        (run_id, job_id),
    )
    if begun.rowcount == 0:
        raise JobCanceled("This job was canceled before it began; nothing was done.")


def fix_batches(connection: Connection, job_id: str) -> None:
    """Say that the refresh takes in nothing more: later requests need a follow-up."""
    connection.execute(
        """
        update app.jobs set batches_fixed_at = coalesce(batches_fixed_at, now())
        where job_id = %s
        """,
        (job_id,),
    )


def set_progress(connection: Connection, job_id: str, progress: Mapping[str, Any]) -> None:
    """Say how far a running job is, in place of what was said before."""
    connection.execute(
        "update app.jobs set counts = counts || jsonb_build_object('progress', %s::jsonb) where job_id = %s",
        (Jsonb(dict(progress)), job_id),
    )


def add_counts(connection: Connection, job_id: str, counts: Mapping[str, Any]) -> None:
    """Merge final counts into the job's row; the progress up to here is done with."""
    connection.execute(
        "update app.jobs set counts = counts - 'progress' || %s where job_id = %s",
        (Jsonb(dict(counts)), job_id),
    )


def set_result(connection: Connection, job_id: str, result: Mapping[str, Any]) -> None:
    """Keep what came of the job."""
    connection.execute(
        "update app.jobs set result = %s where job_id = %s", (Jsonb(dict(result)), job_id)
    )  # fmt: skip


def finish(
    connection: Connection,
    job_id: str,
    status: str,
    message: str,
    problem: Mapping[str, Any] | None = None,
) -> None:
    """Close a running job; one that is closed already stays as it is.

    The message says how many files were refused on the way: whoever follows the job may look at
    nothing else. An import of which a file was refused has failed, whatever else was published.
    """
    row = connection.execute(
        """
        select kind, coalesce((counts ->> 'files_refused')::integer, 0), coalesce(result -> 'files', '[]')
        from app.jobs
        where job_id = %s
        """,
        (job_id,),
    ).fetchone()
    if row is None:
        return
    kind, files_refused, files = row
    if files_refused:
        message += f" Files refused: {files_refused} (see the batches)."
    if files_refused and kind == "import" and status == "succeeded":
        status, problem = "failed", {"code": "file_refused", "detail": _refusals(files)}
    connection.execute(
        """
        update app.jobs
        set status = %s, problem = %s, finished_at = now(), message = %s
        where job_id = %s and status = 'running'
        """,
        (status, Jsonb(dict(problem)) if problem else None, message, job_id),
    )


def _refusals(files: Sequence[Mapping[str, Any]]) -> str:
    refused = (file for file in files if file["status"] in ("refused", "failed"))
    return " ".join(f"{file['name']}: {file['message']}." for file in refused)


def close_leftovers(connection: Connection, run_ids: Sequence[str]) -> int:
    """Close the jobs of runs whose processes are gone; returns how many."""
    closed = connection.execute(
        """
        update app.jobs
        set status = 'failed', finished_at = now(), message = %s
        where status = 'running' and dagster_run_id = any(%s)
        """,
        (INTERRUPTED, list(run_ids)),
    )
    return closed.rowcount
