"""What a running job says of itself in its row."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from pipeline.errors import TillhouseError
from pipeline.jobs.rows import LAUNCH_GRACE

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
        JobCanceled: whoever asked has canceled it meanwhile, or its numbers are published: the process
            of a run may die after that.
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
            where jobs.status not in ('canceled', 'succeeded')
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
        raise JobCanceled("This refresh is done, or was canceled before it began; nothing was done.")
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


def never_begun(connection: Connection) -> list[tuple[str, str | None]]:
    """The jobs that wait for longer than a launch takes, each with its run if one is known."""
    rows = connection.execute(
        """
        select job_id, dagster_run_id from app.jobs
        where status = 'queued' and requested_at < now() - %s::interval
        """,
        (LAUNCH_GRACE,),
    )
    return [(str(job_id), run_id) for job_id, run_id in rows.fetchall()]
