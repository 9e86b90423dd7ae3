"""Checked rows into the raw tables, by COPY."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import polars as pl
from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from pipeline.landing.checker import CheckedChunk
from pipeline.landing.quarantine import QuarantinedRow
from pipeline.landing.tally import Tally

# What a frame's column is called in its table, where the names differ.
_TABLE_NAMES = {
    "sale_day": "sale_date",
    "quantity_number": "quantity",
    "line_discount": "discount_amount",
}
# What means something to COPY, and how it is written to mean itself.
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True)
class EncodedChunk:
    """A chunk in the form that COPY takes: (table, columns, text) for each table it adds to."""

    tables: tuple[tuple[str, tuple[str, ...], bytes], ...]
    quarantine: list[QuarantinedRow]
    tally: Tally


def encode(chunk: CheckedChunk, batch_id: int) -> EncodedChunk:
    """Write a checked chunk's frames in COPY's text format, with the batch's id on each row.

    A column without any value is left out: null is its default.
    """
    frames = [(table, _without_empty(frame)) for table, frame in chunk.tables if frame.height]
    return EncodedChunk(
        tables=tuple((table, _table_columns(frame), _text(frame, batch_id)) for table, frame in frames),
        quarantine=chunk.quarantine,
        tally=chunk.tally,
    )


def _without_empty(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(column for column in frame if column.null_count() < len(column))


def _table_columns(frame: pl.DataFrame) -> tuple[str, ...]:
    return ("batch_id", *(_TABLE_NAMES.get(column, column) for column in frame.columns))


def _text(frame: pl.DataFrame, batch_id: int) -> bytes:
    dates = (_iso(column) for column in frame if column.dtype == pl.Date)
    rows = frame.with_columns(*dates).select(pl.lit(batch_id).alias("batch_id"), pl.all())
    data = _written(rows)
    return data if _is_unambiguous(data, rows) else _written(rows.with_columns(_escaped()))


def _iso(days: pl.Series) -> pl.Series:
    """Dates as text. There are few distinct ones, and formatting each row's own takes long."""
    distinct = days.unique()
    return days.replace_strict(distinct, distinct.dt.to_string("iso"), return_dtype=pl.String)


def _written(rows: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    rows.write_csv(buffer, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    return buffer.getvalue()


def _is_unambiguous(data: bytes, rows: pl.DataFrame) -> bool:
    """Whether no value has a character that means something to COPY: all of them are ours."""
    codes = np.frombuffer(data, dtype=np.uint8)
    nulls = sum(column.null_count() for column in rows)
    borders = rows.height * rows.width
    return bool(
        np.count_nonzero(codes < ord(" ")) == borders and np.count_nonzero(codes == ord("\\")) == nulls
    )


def _escaped() -> pl.Expr:
    return pl.col(pl.String).str.replace_many(_ESCAPES)


def copy_chunk(
    cursor: Cursor[TupleRow], chunk: EncodedChunk, batch_id: int, *, is_staged: bool = False
) -> None:
    """Add a chunk's rows to the raw tables, or staged ones, in the cursor's transaction."""
    for table, columns, data in chunk.tables:
        target = staged(table) if is_staged else sql.Identifier("raw", table)
        statement = sql.SQL("copy {} ({}) from stdin").format(
            target, sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cursor.copy(statement) as copy:
            copy.write(data)
    if chunk.quarantine:
        copy_quarantine(cursor, chunk.quarantine, batch_id)


def staged(table: str) -> sql.Identifier:
    """The temporary table of a connection that stands before one of the raw tables."""
    return sql.Identifier("pg_temp", f"staged_{table}")


def copy_quarantine(cursor: Cursor[TupleRow], rows: list[QuarantinedRow], batch_id: int) -> None:
    """Add rows to the quarantine, in the cursor's transaction."""
    statement = """
        copy raw.quarantine (
            batch_id, row_number, reasons, raw_text, order_id, product_id, occurrence, line_id
        ) from stdin
    """
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(
                (
                    batch_id,
                    row.row_number,
                    list(row.reasons),
                    row.raw_text,
                    row.order_id,
                    row.product_id,
                    row.occurrence,
                    row.line_id,
                )
            )
