"""The rows of ``app.jobs``; every function runs in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

# `check` is the dry run of an import.
Kind = Literal["refresh", "import", "check", "export"]
Job = dict[str, Any]

IN_FLIGHT = ("queued", "running")
# A row without a run for longer than this was left by a service that ended before it could launch.
LAUNCH_GRACE = timedelta(seconds=60)

_COLUMNS = sql.SQL(
    "job_id, kind, status, requested_by, principal_id, request, result, dagster_run_id, batches_fixed_at,"
    " build_id, counts, problem, message, requested_at, started_at, finished_at"
)


def find_job(connection: Connection[TupleRow], job_id: UUID) -> Job | None:
    """One job's row, or None."""
    return one_job(connection, "select {} from app.jobs where job_id = %(id)s", {"id": job_id})


def in_flight(connection: Connection[TupleRow], kind: Kind) -> list[Job]:
    """The jobs of a kind that have not ended, oldest first."""
    return _all(
        connection,
        "select {} from app.jobs where kind = %(kind)s and status = any(%(in_flight)s) order by requested_at",
        {"kind": kind, "in_flight": list(IN_FLIGHT)},
    )


def list_jobs(
    connection: Connection[TupleRow],
    kinds: Sequence[Kind],
    before: tuple[datetime, UUID] | None,
    limit: int,
    status: str | None,
    whose: UUID | None = None,
) -> list[Job]:
    """The jobs asked for before a moment (all when None), newest first, at most ``limit``.

    ``whose``: only those of this principal.
    """
    moment, job_id = before or (None, None)
    return _all(
        connection,
        "select {} from app.jobs where kind = any(%(kinds)s) and (%(moment)s::timestamptz is null"
        " or (requested_at, job_id) < (%(moment)s, %(id)s::uuid))"
        " and (%(status)s::text is null or status = %(status)s)"
        " and (%(whose)s::uuid is null or principal_id = %(whose)s)"
        " order by requested_at desc, job_id desc limit %(limit)s",
        {
            "kinds": list(kinds), "moment": moment, "id": job_id, "limit": limit, "status": status,
            "whose": whose,
        },
    )  # fmt: skip


def set_run(connection: Connection[TupleRow], job_id: UUID, run_id: str) -> None:
    """Remember the run that does a job, unless the pipeline has named it already."""
    connection.execute(
        "update app.jobs set dagster_run_id = %s where job_id = %s and dagster_run_id is null",
        (run_id, job_id),
    )


def add_result(connection: Connection[TupleRow], job_id: UUID | str, result: Mapping[str, Any]) -> None:
    """Add to what came of a job."""
    connection.execute(
        "update app.jobs set result = result || %s where job_id = %s", (Jsonb(dict(result)), job_id)
    )


def finish(
    connection: Connection[TupleRow],
    job_id: UUID | str,
    run_id: str | None,
    status: str,
    message: str | None = None,
    problem: Mapping[str, Any] | None = None,
) -> bool:
    """End a job that is still in flight and still with this run (None: with none); whether it did.

    One that has ended keeps its own end, and one that another run took over goes on. The message says
    how many files were refused on the way: whoever follows the job may look at nothing else. An import
    of which a file was refused has failed, whatever else was published.
    """
    found = connection.execute(
        """
        select kind, coalesce((counts ->> 'files_refused')::integer, 0), coalesce(result -> 'files', '[]')
        from app.jobs
        where job_id = %s
        """,
        (job_id,),
    ).fetchone()
    if found is None:
        return False
    kind, files_refused, files = found
    if files_refused:
        message = f"{message or ''} Files refused: {files_refused} (see the batches).".strip()
    if files_refused and kind == "import" and status == "succeeded":
        status, problem = "failed", {"code": "file_refused", "detail": _refusals(files)}
    ended = connection.execute(
        """
        update app.jobs
        set
            status = %(status)s, finished_at = now(), message = coalesce(%(message)s, message),
            problem = coalesce(%(problem)s, problem)
        where
            job_id = %(id)s and status = any(%(in_flight)s)
            and dagster_run_id is not distinct from %(run_id)s
        """,
        {
            "status": status,
            "message": message,
            "problem": None if problem is None else Jsonb(dict(problem)),
            "id": job_id,
            "in_flight": list(IN_FLIGHT),
            "run_id": run_id,
        },
    )
    return ended.rowcount == 1


def one_job(
    connection: Connection[TupleRow], query: LiteralString, values: Mapping[str, Any]
) -> Job | None:  # fmt: skip
    """The first job that a statement gives, or None; its ``{}`` stands for the columns."""
    found = _all(connection, query, values)
    return found[0] if found else None


def _all(
    connection: Connection[TupleRow], query: LiteralString, values: Mapping[str, Any]
) -> list[Job]:  # fmt: skip
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.SQL(query).format(_COLUMNS), values).fetchall()
    for row in rows:
        for name in ("batches_fixed_at", "requested_at", "started_at", "finished_at"):
            row[name] = row[name].astimezone(UTC) if row[name] else None
    return rows


def _refusals(files: Sequence[Mapping[str, Any]]) -> str:
    refused = (file for file in files if file["status"] in ("refused", "failed"))
    return " ".join(f"{file['name']}: {file['message']}." for file in refused)
