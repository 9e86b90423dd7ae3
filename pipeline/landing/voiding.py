"""Taking a landed delivery back out of the numbers, and putting it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.closed_feeds import REFUNDS_OF_SOURCE
from pipeline.landing.closed_months import changed_months, named, open_again
from pipeline.landing.errors import LandingError
from pipeline.landing.line_changes import LINE_KEY
from pipeline.landing.models import BatchResult, Status
from pipeline.sources import ORDER_LINES

_FROM_TO: dict[bool, tuple[Status, Status]] = {False: ("landed", "voided"), True: ("voided", "landed")}


@dataclass(frozen=True)
class VoidRequest:
    """Batches to take back, or (``restores``) to put back. ``reopen`` lets it change closed months."""

    batch_ids: tuple[int, ...]
    restores: bool = False
    reopen: bool = False
    requested_by: str = "cli"
    job_id: str | None = None


@dataclass(frozen=True)
class LandedBatch:
    """What must be known of a batch to do something to it."""

    batch_id: int
    call_id: int
    source: str
    mode: str
    status: str
    is_compared: bool
    file_name: str
    sha256: str | None
    rows: int
    feed: str


def void(connection: Connection[TupleRow], request: VoidRequest) -> list[BatchResult]:
    """Take batches back or put them back, all or none; the next build takes it into the numbers.

    The files of one overwrite go together. The caller holds the refresh lock.

    Raises:
        LandingError: one of them is unknown, has not landed, or is what later deliveries build on; or
            a closed month would change.
    """
    was, becomes = _FROM_TO[request.restores]
    with connection.transaction():
        asked = [find_batch(connection, batch_id) for batch_id in request.batch_ids]
        results = []
        # A full delivery was compared with those before it: they go after it, and come back before it.
        for batch in sorted(_whole_calls(connection, asked), reverse=not request.restores, key=_age):
            if batch.status == becomes:
                results.append(_result(batch, becomes, "it is so already; nothing was done"))
                continue
            if batch.status != was:
                raise LandingError(
                    f"batch {batch.batch_id} is {batch.status}: only a {was} one can be "
                    f"{'restored' if request.restores else 'voided'}"
                )
            require_newest(connection, batch)
            if request.restores:
                _require_its_past(connection, batch)
            _mind_closed_months(connection, batch, reopen_them=request.reopen)
            connection.execute(
                "update raw.batches set status = %s where batch_id = %s", (becomes, batch.batch_id)
            )
            event = "restored" if request.restores else "voided"
            record_event(connection, batch, event, batch.rows, request.requested_by, request.job_id)
            results.append(_result(batch, becomes, None))
    return results


def find_batch(connection: Connection[TupleRow], batch_id: int) -> LandedBatch:
    """A batch by its id.

    Raises:
        LandingError: there is none.
    """
    row = connection.execute(
        """
        select batch_id, call_id, source, mode, status, is_compared, file_name, sha256, rows_accepted,
            feed
        from raw.batches where batch_id = %s
        """,
        (batch_id,),
    ).fetchone()
    if row is None:
        raise LandingError(f"there is no batch {batch_id}; `tillhouse status` lists them")
    return LandedBatch(*row)


def require_newest(connection: Connection[TupleRow], batch: LandedBatch) -> None:
    """Make sure that no later full delivery was compared with what this batch holds.

    What such a delivery left unchanged is not in it: without this batch it would be lost.

    Raises:
        LandingError: there is one.
    """
    row = connection.execute(
        """
        select max(batch_id) from raw.batches
        where source = %s and feed = %s and batch_id > %s and call_id <> %s and status = 'landed'
            and is_compared
        """,
        (batch.source, batch.feed, batch.batch_id, batch.call_id),
    ).fetchone()
    if row and row[0]:
        raise LandingError(
            f"batch {batch.batch_id} cannot be changed: the full delivery {row[0]} of source "
            f"{batch.source!r} came later and holds only what differs from it; void that one first, or "
            "deliver everything once more"
        )


def record_event(
    connection: Connection[TupleRow],
    batch: LandedBatch,
    event: str,
    rows: int,
    requested_by: str,
    job_id: str | None,
) -> None:
    """Put on record what was done to a batch: the next build computes everything anew."""
    connection.execute(
        """
        insert into raw.batch_events (batch_id, event, rows, requested_by, job_id)
        values (%s, %s, %s, %s, %s)
        """,
        (batch.batch_id, event, rows, requested_by, job_id),
    )


def is_recorded(connection: Connection[TupleRow], batch_id: int, job_id: str) -> bool:
    """Whether a job has done something to a batch already."""
    found = connection.execute(
        "select 1 from raw.batch_events where batch_id = %s and job_id = %s", (batch_id, job_id)
    ).fetchone()
    return found is not None


def _whole_calls(connection: Connection[TupleRow], batches: Sequence[LandedBatch]) -> list[LandedBatch]:
    """The batches, and the other files of their overwrites."""
    wanted = {batch.batch_id for batch in batches}
    overwrites = [batch.call_id for batch in batches if batch.mode == "overwrite"]
    rows = connection.execute(
        """
        select batch_id from raw.batches
        where call_id = any(%s) and mode = 'overwrite' and status in ('landed', 'voided')
        """,
        (overwrites,),
    ).fetchall()
    wanted |= {batch_id for (batch_id,) in rows}
    return [find_batch(connection, batch_id) for batch_id in wanted]


def _age(batch: LandedBatch) -> int:
    return batch.batch_id


def _require_its_past(connection: Connection[TupleRow], batch: LandedBatch) -> None:
    """Make sure that what a full delivery was compared with is as it was, before it comes back.

    Raises:
        LandingError: an older batch is not what it was when this one landed.
    """
    row = connection.execute(
        """
        with since as (
            select distinct on (older.batch_id) older.batch_id, older.status, events.event
            from raw.batches
            inner join raw.batches as older
                on older.source = batches.source and older.feed = batches.feed
                    and older.batch_id < batches.batch_id and older.call_id <> batches.call_id
            inner join raw.batch_events as events
                on events.batch_id = older.batch_id and events.at > batches.finished_at
            where batches.batch_id = %s and batches.is_compared
            -- The first event since tells what the batch was before it; a replay is never undone.
            order by older.batch_id, events.event = 'replayed' desc, events.event_id
        )

        select batch_id, event from since
        where event = 'replayed' or status <> case event when 'voided' then 'landed' else 'voided' end
        order by batch_id
        limit 1
        """,
        (batch.batch_id,),
    ).fetchone()
    if row:
        remedy = {
            "voided": "restore that one first",
            "restored": "void that one first, or load the file again",
            "replayed": "load the file again",
        }
        raise LandingError(
            f"batch {batch.batch_id} holds only what differs from batch {row[0]} of its source, which was "
            f"{row[1]} since: {remedy[row[1]]}"
        )


def _mind_closed_months(connection: Connection[TupleRow], batch: LandedBatch, *, reopen_them: bool) -> None:
    if batch.feed == ORDER_LINES:
        months = _months_of_lines(connection, batch)
        refusal = (
            f"batch {batch.batch_id} has lines in months that are closed: {named(months)}; if that is meant, "
            "say --reopen, which opens them again"
        )
    else:
        changed = changed_months(connection, batch.source, batch.feed, [batch.batch_id])
        months, refusal = changed.months, f"batch {batch.batch_id}: {changed.refusal}"
    if months and not reopen_them:
        raise LandingError(refusal)
    open_again(connection, months)


def _months_of_lines(connection: Connection[TupleRow], batch: LandedBatch) -> tuple[date, ...]:
    """The closed months with lines, or refunds of their orders, that a batch of order lines may change."""
    # A plain overwrite deleted lines that it does not name: any line of its source may come back. A sale line
    # may date its order, or count its shipping, instead of any other line of it.
    rows = connection.execute(
        sql.SQL(
            """
            with touched as (
                select order_id, {line_key} as line_key, quantity > 0 as is_sale
                from raw.order_lines where batch_id = %(batch_id)s
                union
                select order_id, line_key, true from raw.deleted_lines where batch_id = %(batch_id)s
            ),

            days as (
                select lines.sale_date as day
                from raw.order_lines as lines
                inner join raw.batches using (batch_id)
                where
                    batches.source = %(source)s
                    and (
                        %(is_overwrite)s
                        or (lines.order_id, {line_key}) in (select order_id, line_key from touched)
                        or lines.order_id in (select order_id from touched where is_sale)
                    )
                union
                select refund_date
                from ({refunds}) as refunds
                where %(is_overwrite)s or order_id in (select order_id from touched)
            )

            select distinct closed.month
            from days
            inner join raw.closed_months as closed on closed.month = date_trunc('month', day)::date
            order by closed.month
            """
        ).format(line_key=LINE_KEY, refunds=sql.SQL(REFUNDS_OF_SOURCE)),
        {
            "batch_id": batch.batch_id,
            "source": batch.source,
            "is_overwrite": batch.mode == "overwrite" and not batch.is_compared,
        },
    ).fetchall()
    return tuple(month for (month,) in rows)


def _result(batch: LandedBatch, status: Status, message: str | None) -> BatchResult:
    return BatchResult(
        batch.batch_id, batch.file_name, batch.source, status, message, rows_read=batch.rows,
        rows_accepted=batch.rows,
    )  # fmt: skip
