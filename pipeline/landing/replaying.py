"""Rows out of the quarantine, into the batch that they came with.

Either the kept original is read again as its source is described now, or the rows come corrected in a
file of their own (see ``corrected``). A row keeps its number, so later deliveries still win over it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.landing.checker import CheckedChunk
from pipeline.landing.checking import with_date_format
from pipeline.landing.closed_months import changed_months, named, open_again
from pipeline.landing.copying import copy_chunk, encode
from pipeline.landing.corrected import CorrectedRows
from pipeline.landing.errors import FileRefused, LandingError
from pipeline.landing.feeds import checker_of, tables_of
from pipeline.landing.full_delivery import make_staged_tables
from pipeline.landing.models import BatchResult, Reporting
from pipeline.landing.opening import OrderLines, open_order_lines
from pipeline.landing.originals import is_kept, original
from pipeline.landing.replayed_rows import number_occurrences, release, withhold_duplicates
from pipeline.landing.voiding import LandedBatch, find_batch, record_event, require_newest
from pipeline.sources import ORDER_LINES, SourceSettings


@dataclass(frozen=True)
class ReplayRequest:
    """A batch whose rejected rows are tried again; ``corrected`` is a file of them, else the original.

    ``settings`` says how its source's files of the batch's feed are read now; ``reopen`` lets it change
    closed months.
    """

    batch_id: int
    settings: SourceSettings
    originals: Path
    corrected: Path | None = None
    reporting: Reporting = field(default_factory=Reporting)
    reopen: bool = False
    requested_by: str = "cli"
    job_id: str | None = None


def replay(connection: Connection[TupleRow], request: ReplayRequest) -> BatchResult:
    """Try a batch's rejected rows again; those that are good now join its accepted ones.

    The next build takes them into the numbers. The caller holds the refresh lock.

    Returns:
        The counts of the rows that were tried; ``reasons`` of those that stay in the quarantine.

    Raises:
        LandingError: the batch is unknown, has not landed, or later deliveries build on it; the file cannot
            be read; a row is none of the batch's rejected ones; or a closed month would change.
    """
    with connection.transaction(), connection.cursor() as cursor:
        batch = find_batch(connection, request.batch_id)
        if batch.status != "landed":
            raise LandingError(f"batch {batch.batch_id} is {batch.status}: only a landed one can be replayed")
        require_newest(connection, batch)
        make_staged_tables(connection, batch.feed)
        reasons: Counter[str] = Counter()
        try:
            for chunk in _good_rows(request, batch, waiting_rows(connection, batch.batch_id), reasons):
                copy_chunk(cursor, encode(chunk, batch.batch_id), batch.batch_id, is_staged=True)
        except FileRefused as error:
            raise LandingError(f"batch {batch.batch_id}, {batch.file_name}: {error}") from error
        if request.corrected is not None:
            if batch.feed == ORDER_LINES:
                number_occurrences(connection, batch)
            reasons["duplicate_row"] += withhold_duplicates(connection, batch)
        count = release(connection, batch)
        notes = [f"{count:,} rejected rows were accepted"]
        if count:
            notes += _reopened(connection, batch, reopen=request.reopen)
            record_event(connection, batch, "replayed", count, request.requested_by, request.job_id)
    return _result(batch, count, +reasons, "; ".join(notes))


def waiting_rows(connection: Connection[TupleRow], batch_id: int) -> pl.Series:
    """The numbers of a batch's rejected rows, rising."""
    rows = connection.execute(
        "select row_number from raw.quarantine where batch_id = %s order by row_number", (batch_id,)
    ).fetchall()
    return pl.Series("row_number", [number for (number,) in rows], dtype=pl.Int64)


def _good_rows(
    request: ReplayRequest, batch: LandedBatch, waiting: pl.Series, reasons: Counter[str]
) -> Iterator[CheckedChunk]:
    """What is accepted now of the rows that wait; counts the first reasons of the others."""
    with ExitStack() as stack:
        file, settings = _opened(request, batch, waiting, stack)
        checker = checker_of(file.columns, settings, request.reporting)
        numbers = set(waiting)
        rows_table, *_ = tables_of(batch.feed)
        for chunk in file.chunks():
            checked = checker.check(chunk)
            reasons.update(row.reasons[0] for row in checked.quarantine if row.row_number in numbers)
            tables = tuple(
                (table, _of_waiting(frame, waiting) if table == rows_table else frame)
                for table, frame in checked.tables
            )
            yield replace(checked, tables=tables, quarantine=[])


def _of_waiting(rows: pl.DataFrame, waiting: pl.Series) -> pl.DataFrame:
    return rows.filter(pl.col("row_number").is_in(waiting.implode()))


def _opened(
    request: ReplayRequest, batch: LandedBatch, waiting: pl.Series, stack: ExitStack
) -> tuple[OrderLines, SourceSettings]:
    settings, kept = request.settings, None
    if request.corrected is None or is_kept(request.originals, batch.sha256):
        kept = stack.enter_context(original(request.originals, batch.sha256))
        # Of dates, the few corrected rows could tell less than the whole file.
        settings = with_date_format(kept, settings)
    if request.corrected is None:
        assert kept is not None
        return stack.enter_context(open_order_lines(kept, settings)), settings
    if kept is None:
        settings = with_date_format(request.corrected, settings)
    rows = stack.enter_context(CorrectedRows(request.corrected, settings, waiting))
    return rows, rows.settings


def _reopened(connection: Connection[TupleRow], batch: LandedBatch, *, reopen: bool) -> list[str]:
    changed = changed_months(connection, batch.source, batch.feed, [batch.batch_id], is_replay=True)
    if changed.months and not reopen:
        raise LandingError(f"batch {batch.batch_id}: {changed.refusal}")
    open_again(connection, changed.months)
    return [f"opened closed months again: {named(changed.months)}"] if changed.months else []


def _result(batch: LandedBatch, count: int, reasons: Counter[str], message: str) -> BatchResult:
    still = reasons.total()
    return BatchResult(
        batch_id=batch.batch_id,
        file_name=batch.file_name,
        source=batch.source,
        status="landed",
        message=message,
        rows_read=count + still,
        rows_accepted=count,
        rows_quarantined=still,
        reasons=dict(reasons.most_common()),
    )
