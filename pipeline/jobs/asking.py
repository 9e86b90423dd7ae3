"""Asking for a job: a new row, or one in flight that answers the same request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from pipeline.jobs.rows import IN_FLIGHT, Job, Kind, find_job, one_job

# Only one caller at a time looks for a job to join or counts its own; the numbers have no meaning.
_JOIN_LOCK = 7_405_100_213
_KEY_LOCKS = 7_405_100
# The problem of a job that was answered 503: nothing was started.
NOT_STARTED = "dagster_unavailable"


class KeyBusy(Exception):
    """Another request with the same idempotency key is under way."""


class KeyReused(Exception):
    """The idempotency key belongs to another request."""


class TooManyJobs(Exception):
    """The caller has as many jobs of this kind in flight as it may."""


@dataclass(frozen=True)
class NewJob:
    """A job to be.

    Attributes:
        kind: what is to be done.
        request: what was asked.
        requested_by: who asked, for readers.
        principal_id: whose job it is; None is the only user of a laptop.
        request_id: the request's, under which the log has it.
        is_joinable: an equal request joins it, as long as its list of batches is not fixed.
        most: how many of this kind one caller may have in flight; None for any number.
        job_id: its id, when it has one already.
    """

    kind: Kind
    request: Mapping[str, Any]
    requested_by: str
    principal_id: UUID | None
    request_id: str
    is_joinable: bool = False
    most: int | None = None
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

    Raises:
        TooManyJobs: the caller has enough of them.
    """
    if new.is_joinable or new.most is not None:
        connection.execute("select pg_advisory_xact_lock(%s)", (_JOIN_LOCK,))
    job = _joined(connection, new) if new.is_joinable else None
    is_new = job is None
    if job is None:
        _check_count(connection, new)
        job = _queue(connection, new)
    if key is not None:
        connection.execute(
            "insert into app.idempotency_keys (principal_id, idempotency_key, request_hash, job_id)"
            " values (%s, %s, %s, %s)"
            " on conflict (principal_id, idempotency_key) do update set job_id = excluded.job_id",
            (new.principal_id, key.value, key.request_hash, job["job_id"]),
        )
    return job, is_new


def _joined(connection: Connection[TupleRow], new: NewJob) -> Job | None:
    return one_job(
        connection,
        "select {} from app.jobs where kind = %(kind)s and status = any(%(in_flight)s)"
        " and batches_fixed_at is null and request = %(request)s order by requested_at limit 1",
        {"kind": new.kind, "in_flight": list(IN_FLIGHT), "request": Jsonb(new.request)},
    )


def _check_count(connection: Connection[TupleRow], new: NewJob) -> None:
    if new.most is None:
        return
    row = connection.execute(
        "select count(*) from app.jobs"
        " where kind = %s and principal_id is not distinct from %s and status = any(%s)",
        (new.kind, new.principal_id, list(IN_FLIGHT)),
    ).fetchone()
    assert row is not None
    if row[0] >= new.most:
        raise TooManyJobs


def _queue(connection: Connection[TupleRow], new: NewJob) -> Job:
    job = one_job(
        connection,
        "insert into app.jobs (job_id, kind, status, requested_by, principal_id, request, request_id)"
        " values (%(id)s, %(kind)s, 'queued', %(requested_by)s, %(principal)s, %(request)s, %(request_id)s)"
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
    return job
