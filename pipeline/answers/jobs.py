"""The jobs' rows in ``app.jobs``; every function runs in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString
from uuid import UUID, uuid4

from psycopg import Connection, sql
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

# `check` is the dry run of an import.
Kind = Literal["refresh", "import", "check", "export"]
Job = dict[str, Any]

# Only one caller at a time looks for a job to join; the numbers have no meaning but their own.
_JOIN_LOCK = 7_405_100_213
_KEY_LOCKS = 7_405_100
IN_FLIGHT = ("queued", "running")
# The problem of a job that was answered 503: nothing was started.
NOT_STARTED = "dagster_unavailable"

_COLUMNS = sql.SQL(
    "job_id, kind, status, requested_by, principal_id, request, result, dagster_run_id, batches_fixed_at,"
    " build_id, counts, problem, message, requested_at, started_at, finished_at"
)


class KeyBusy(Exception):
    """Another request with the same idempotency key is under way."""


class KeyReused(Exception):
    """The idempotency key belongs to another request."""


@dataclass(frozen=True)
class NewJob:
    """A job to be; ``principal_id`` None is the only user of a laptop."""

    kind: Kind
    request: Mapping[str, Any]
    requested_by: str
    principal_id: UUID | None
    request_id: str
    # An equal request joins one of these, as long as its list of batches is not fixed.
    is_joinable: bool = False
    job_id: UUID | None = None


@dataclass(frozen=True)
class Key:
    """An idempotency key, and the hash of the request that came with it."""

    value: str
    request_hash: str


def find_by_key(connection: Connection[TupleRow], principal_id: UUID | None, key: Key) -> Job | None:
    """The job that an earlier request with this key got, or None.

    The key is the caller's until the transaction ends. A request that was answered 503 started
    nothing, so its key is free.

    Raises:
        KeyBusy: another transaction has the key.
        KeyReused: it came with another request.
    """
    name = f"{principal_id} {key.value}"
    locked = connection.execute(
        "select pg_try_advisory_xact_lock(%s, hashtext(%s))", (_KEY_LOCKS, name)
    ).fetchone()
    if not locked or not locked[0]:
        raise KeyBusy
    found = connection.execute(
        "select job_id, request_hash from app.idempotency_keys"
        " where principal_id is not distinct from %s and idempotency_key = %s",
        (principal_id, key.value),
    ).fetchone()
    if found is None:
        return None
    if found[1] != key.request_hash:
        raise KeyReused
    job = find_job(connection, found[0])
    assert job is not None
    return None if (job["problem"] or {}).get("code") == NOT_STARTED else job


def join_or_queue(connection: Connection[TupleRow], new: NewJob, key: Key | None) -> tuple[Job, bool]:
    """The job for a request, and whether it is new.

    An equal request in flight is joined as long as its batches are not fixed; otherwise one
    follow-up is queued, which later callers join.
    """
    job = _joined(connection, new) if new.is_joinable else None
    is_new = job is None
    if job is None:
        job = _one(
            connection,
            "insert into app.jobs"
            " (job_id, kind, status, requested_by, principal_id, request, request_id)"
            " values (%(id)s, %(kind)s, 'queued', %(requested_by)s, %(principal)s, %(request)s,"
            " %(request_id)s)"
            " returning {}",
            {
                "id": new.job_id or uuid4(),
                "kind": new.kind,
                "requested_by": new.requested_by,
                "principal": new.principal_id,
                "request": Jsonb(new.request),
                "request_id": new.request_id,
            },
        )
        assert job is not None
    if key is not None:
        connection.execute(
            "insert into app.idempotency_keys (principal_id, idempotency_key, request_hash, job_id)"
            " values (%s, %s, %s, %s)"
            " on conflict (principal_id, idempotency_key) do update set job_id = excluded.job_id",
            (new.principal_id, key.value, key.request_hash, job["job_id"]),
        )
    return job, is_new


def find_job(connection: Connection[TupleRow], job_id: UUID) -> Job | None:
    """One job's row, or None."""
    return _one(connection, "select {} from app.jobs where job_id = %(id)s", {"id": job_id})


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


def add_result(connection: Connection[TupleRow], job_id: UUID, result: Mapping[str, Any]) -> None:
    """Add to what came of a job."""
    connection.execute("update app.jobs set result = result || %s where job_id = %s", (Jsonb(result), job_id))


def finish(
    connection: Connection[TupleRow],
    job_id: UUID,
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
        "update app.jobs set status = %(status)s, finished_at = now(),"
        " problem = coalesce(%(problem)s, problem), message = coalesce(%(message)s, message)"
        " where job_id = %(id)s and status = any(%(in_flight)s)"
        " and dagster_run_id is not distinct from %(run_id)s",
        {
            "run_id": run_id,
            "status": status,
            "id": job_id,
            "problem": Jsonb(problem) if problem is not None else None,
            "message": message,
            "in_flight": list(IN_FLIGHT),
        },
    )
    return ended.rowcount == 1


def _joined(connection: Connection[TupleRow], new: NewJob) -> Job | None:
    connection.execute("select pg_advisory_xact_lock(%s)", (_JOIN_LOCK,))
    return _one(
        connection,
        "select {} from app.jobs where kind = %(kind)s and status = any(%(in_flight)s)"
        " and batches_fixed_at is null and request = %(request)s order by requested_at limit 1",
        {"kind": new.kind, "in_flight": list(IN_FLIGHT), "request": Jsonb(new.request)},
    )


def _one(
    connection: Connection[TupleRow], query: LiteralString, values: Mapping[str, Any]
) -> Job | None:  # fmt: skip
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
