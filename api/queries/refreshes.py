"""The jobs' rows in ``app.refreshes``; every function runs in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

# Only one caller at a time looks for a job to join; the number has no meaning but its own.
_JOIN_LOCK = 7_405_100_213
IN_FLIGHT = ("queued", "running")

_COLUMNS = sql.SQL(
    "refresh_id, status, requested_by, is_full, mode, sources, dagster_run_id, batches_fixed_at, build_id,"
    " counts, problem, message, requested_at, started_at, finished_at"
)


@dataclass(frozen=True)
class RefreshRequest:
    """What a refresh is asked to do; ``sources`` are in order and without repeats."""

    is_full: bool = False
    mode: str | None = None
    sources: tuple[str, ...] | None = None


def join_or_queue(
    connection: Connection[TupleRow], request: RefreshRequest, requested_by: str
) -> tuple[dict[str, Any], bool]:
    """The job for a request, and whether it is new.

    An equal request in flight is joined as long as its batches are not fixed; otherwise one
    follow-up is queued, which later callers join.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (_JOIN_LOCK,))
    asked = {
        "is_full": request.is_full,
        "mode": request.mode,
        "sources": list(request.sources) if request.sources is not None else None,
        "in_flight": list(IN_FLIGHT),
        "requested_by": requested_by,
    }
    found = _one(
        connection,
        sql.SQL(
            "select {} from app.refreshes"
            " where status = any(%(in_flight)s) and batches_fixed_at is null and is_full = %(is_full)s"
            " and mode is not distinct from %(mode)s"
            " and sources is not distinct from %(sources)s::text[]"
            " order by requested_at limit 1"
        ),
        asked,
    )
    if found is not None:
        return found, False
    made = _one(
        connection,
        sql.SQL(
            "insert into app.refreshes (status, requested_by, is_full, mode, sources)"
            " values ('queued', %(requested_by)s, %(is_full)s, %(mode)s, %(sources)s) returning {}"
        ),
        asked,
    )
    assert made is not None
    return made, True


def find_refresh(connection: Connection[TupleRow], refresh_id: UUID) -> dict[str, Any] | None:
    """One job's row, or None."""
    return _one(
        connection, sql.SQL("select {} from app.refreshes where refresh_id = %(id)s"), {"id": refresh_id}
    )  # fmt: skip


def in_flight(connection: Connection[TupleRow]) -> list[dict[str, Any]]:
    """The jobs that have not ended, oldest first."""
    return _all(
        connection,
        sql.SQL("select {} from app.refreshes where status = any(%(in_flight)s) order by requested_at"),
        {"in_flight": list(IN_FLIGHT)},
    )


def list_refreshes(
    connection: Connection[TupleRow],
    before: tuple[datetime, UUID] | None,
    limit: int,
    status: str | None,
) -> list[dict[str, Any]]:
    """The jobs asked for before a moment (all when None), newest first, at most ``limit``."""
    moment, refresh_id = before or (None, None)
    return _all(
        connection,
        sql.SQL(
            "select {} from app.refreshes where (%(moment)s::timestamptz is null"
            " or (requested_at, refresh_id) < (%(moment)s, %(id)s::uuid))"
            " and (%(status)s::text is null or status = %(status)s)"
            " order by requested_at desc, refresh_id desc limit %(limit)s"
        ),
        {"moment": moment, "id": refresh_id, "limit": limit, "status": status},
    )


def set_run(connection: Connection[TupleRow], refresh_id: UUID, run_id: str) -> None:
    """Remember the run that does a job, unless the pipeline has named it already."""
    connection.execute(
        "update app.refreshes set dagster_run_id = %s where refresh_id = %s and dagster_run_id is null",
        (run_id, refresh_id),
    )


def finish(
    connection: Connection[TupleRow],
    refresh_id: UUID,
    status: str,
    problem: Mapping[str, Any] | None = None,
    message: str | None = None,
    *,
    run_id: str | None,
) -> bool:
    """End a job that is still in flight and still with this run (None: with none); whether it did.

    One that has ended keeps its own end, and one that another run took over goes on.
    """
    ended = connection.execute(
        "update app.refreshes set status = %(status)s, finished_at = now(),"
        " problem = coalesce(%(problem)s, problem), message = coalesce(%(message)s, message)"
        " where refresh_id = %(id)s and status = any(%(in_flight)s)"
        " and dagster_run_id is not distinct from %(run_id)s",
        {
            "run_id": run_id,
            "status": status,
            "id": refresh_id,
            "problem": Jsonb(problem) if problem is not None else None,
            "message": message,
            "in_flight": list(IN_FLIGHT),
        },
    )
    return ended.rowcount == 1


def _one(
    connection: Connection[TupleRow], query: sql.SQL, values: Mapping[str, Any]
) -> dict[str, Any] | None:  # fmt: skip
    found = _all(connection, query, values)
    return found[0] if found else None


def _all(
    connection: Connection[TupleRow], query: sql.SQL, values: Mapping[str, Any]
) -> list[dict[str, Any]]:  # fmt: skip
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query.format(_COLUMNS), values).fetchall()
    for row in rows:
        for name in ("batches_fixed_at", "requested_at", "started_at", "finished_at"):
            row[name] = row[name].astimezone(UTC) if row[name] else None
    return rows
