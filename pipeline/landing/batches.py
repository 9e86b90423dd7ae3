"""The record of deliveries: raw.batches."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from pipeline.landing.blocks import FileIdentity, identity_of
from pipeline.landing.drift import Headers
from pipeline.landing.errors import LandingError
from pipeline.landing.models import LandingRequest, Status
from pipeline.landing.tally import Tally

_ORPHANED = "the process ended before the batch was complete"


@dataclass(frozen=True)
class DeliveredFile:
    """A file of a call, and what tells whether it was delivered before."""

    path: Path
    name: str
    size_bytes: int
    sha256: str
    identity: FileIdentity


@dataclass(frozen=True)
class Delivery:
    """A file as an earlier call delivered it."""

    batch_id: int
    sha256: str
    mode: str
    options: dict[str, Any]
    headers: Headers | None = None

    def equals(self, file: DeliveredFile, request: LandingRequest) -> bool:
        """Whether loading the file as asked would deliver the same thing again."""
        return (self.sha256, self.mode, self.options) == (file.sha256, request.mode, request.settings.options)


@dataclass(frozen=True)
class LatestDeliveries:
    """The source's latest effective batch, and all files of the call that it was part of."""

    batch: Delivery
    call: tuple[Delivery, ...]


def deliver(path: Path, name: str | None = None) -> DeliveredFile:
    """What a file is now: its content's hash, and what to know it by when it is read later.

    ``name`` is what it is called on record; by default as it is called on disk.

    Raises:
        LandingError: it is not there, no file, or may not be read.
    """
    shown = name or str(path)
    try:
        if path.is_dir():
            raise LandingError(f"{shown}: is a folder; name the files in it")
        with path.open("rb") as file:
            # Before hashing: a change made meanwhile makes the file another one.
            identity = identity_of(os.fstat(file.fileno()))
            digest = hashlib.file_digest(file, "sha256")
            return DeliveredFile(path, name or path.name, file.tell(), digest.hexdigest(), identity)
    except FileNotFoundError as error:
        raise LandingError(f"{shown}: there is no such file") from error
    except OSError as error:
        raise LandingError(f"{shown}: cannot be read ({error.strerror})") from error


def latest_deliveries(
    connection: Connection[TupleRow], source: str, feed: str
) -> LatestDeliveries | None:  # fmt: skip
    """What the latest effective batch (landed, not voided) of a source's feed, and its call, delivered."""
    rows = connection.execute(
        """
        with latest as (
            select batch_id, call_id
            from raw.batches
            where source = %(source)s and feed = %(feed)s and status = 'landed'
            order by batch_id desc
            limit 1
        )

        select batches.batch_id, batches.sha256, batches.mode, batches.options, batches.headers,
            batches.batch_id = latest.batch_id as is_latest
        from raw.batches
        inner join latest using (call_id)
        where batches.source = %(source)s and batches.status in ('landed', 'skipped')
        order by batches.batch_id
        """,
        {"source": source, "feed": feed},
    ).fetchall()
    if not rows:
        return None
    call = tuple(Delivery(*row[:5]) for row in rows)
    latest = next(delivery for delivery, row in zip(call, rows, strict=True) if row[5])
    return LatestDeliveries(latest, call)


def open_batch(
    connection: Connection[TupleRow], request: LandingRequest, file: DeliveredFile, call_id: int | None
) -> int:
    """Write a batch's row as ``running``, in the connection's transaction; returns its id.

    The first batch of a call gives the call its id.
    """
    row = connection.execute(
        """
        with next as (select nextval('raw.batch_ids') as batch_id)

        insert into raw.batches (
            batch_id, call_id, feed, source, mode, options, status, file_name, size_bytes, sha256,
            requested_by, dagster_run_id
        )
        select batch_id, coalesce(%(call_id)s, batch_id), %(feed)s, %(source)s, %(mode)s, %(options)s,
            'running', %(file_name)s, %(size_bytes)s, %(sha256)s, %(requested_by)s, %(dagster_run_id)s
        from next
        returning batch_id
        """,
        {
            "call_id": call_id,
            "feed": request.feed,
            "source": request.source,
            "mode": request.mode,
            "options": Jsonb(request.settings.options),
            "file_name": file.name,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "requested_by": request.requested_by,
            "dagster_run_id": request.dagster_run_id,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def close_batch(
    connection: Connection[TupleRow],
    batch_id: int,
    status: Status,
    tally: Tally,
    message: str | None,
    rows_unchanged: int | None = None,
    headers: Headers | None = None,
) -> None:
    """Write what became of a batch, in the connection's transaction.

    Only a landed batch has accepted rows and dates, and the ``headers`` that the next one is compared with.
    ``rows_unchanged`` is None for one that was not compared with what is known.
    """
    is_landed = status == "landed"
    connection.execute(
        """
        update raw.batches
        set status = %(status)s, rows_read = %(rows_read)s, rows_accepted = %(rows_accepted)s,
            rows_quarantined = %(rows_quarantined)s, is_compared = %(rows_unchanged)s::bigint is not null,
            rows_unchanged = coalesce(%(rows_unchanged)s, 0), reasons = %(reasons)s, message = %(message)s,
            headers = %(headers)s,
            first_sale_date = %(first)s, last_sale_date = %(last)s, finished_at = clock_timestamp()
        where batch_id = %(batch_id)s
        """,
        {
            "batch_id": batch_id,
            "status": status,
            "rows_read": tally.rows_read,
            "rows_accepted": tally.rows_accepted if is_landed else 0,
            "rows_quarantined": tally.rows_quarantined,
            "reasons": Jsonb(dict(tally.reasons.most_common())),
            "message": message,
            "rows_unchanged": rows_unchanged,
            "headers": Jsonb(headers) if headers is not None else None,
            "first": tally.first_sale_date if is_landed else None,
            "last": tally.last_sale_date if is_landed else None,
        },
    )


def close_orphans(connection: Connection[TupleRow]) -> int:
    """Mark batches whose process ended before they were complete as failed; returns how many.

    Call it right after the refresh lock is taken: whoever holds it knows that no other landing runs.
    """
    with connection.transaction():
        closed = connection.execute(
            """
            update raw.batches
            set status = 'failed', message = %s, finished_at = clock_timestamp()
            where status = 'running'
            """,
            (_ORPHANED,),
        )
    return closed.rowcount
