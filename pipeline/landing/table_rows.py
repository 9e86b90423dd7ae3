"""Rows of formats that are no lines of text, as the chunks that a CSV gives."""

import csv
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from io import StringIO

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.blocks import ROW_BYTES
from pipeline.landing.chunks import Chunk, Damage, shown
from pipeline.landing.errors import FileRefused

FIELDS_PER_ROW = 10_000
# Beyond it an exponent is kept as it is written: no amount has so many digits.
_PLAIN_DIGITS = 40

Damages = npt.NDArray[np.uint16]


def require_few_columns(headers: Sequence[str]) -> None:
    """Make sure that a file has no more columns than a row may have.

    Raises:
        FileRefused: it has more.
    """
    if len(headers) > FIELDS_PER_ROW:
        raise FileRefused(f"the file has {len(headers):,} columns; at most {FIELDS_PER_ROW:,} can be read")


def plain_number(text: str) -> str:
    """A number without an exponent, digit for digit: ``1.5e3`` is ``1500``."""
    if "e" not in text and "E" not in text:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        # An exponent of twenty digits.
        return text
    if abs(number.adjusted()) > _PLAIN_DIGITS:
        return text
    return format(number, "f")


def table_chunk(
    text: pl.DataFrame,
    row_number: npt.NDArray[np.int64],
    damage: Damages | None = None,
    texts: Sequence[str] | None = None,
) -> Chunk:
    """The chunk of these rows, whose columns are named by position; null means empty.

    ``damage`` is what is known to be wrong with them: such rows lose their fields. ``texts`` are
    the rows as they are in the file; by default each is rendered as a line of CSV.
    """
    fields = text.select(pl.all().fill_null(""))
    known = np.zeros(text.height, dtype=np.uint16) if damage is None else damage
    marked = known | _damage(fields)
    is_lost = pl.Series((marked & ~np.uint16(Damage.NUL_CHARACTER)) != 0)
    if (marked != 0).any():
        fields_kept = fields.select(
            pl.when(~is_lost & ~pl.col(name).str.contains("\x00", literal=True))
            .then(pl.col(name))
            .alias(name)
            for name in fields.columns
        )
    else:
        fields_kept = fields

    def raw_text(positions: Sequence[int]) -> list[str]:
        if texts is not None:
            return [_shown(texts[at]) for at in positions]
        return [_shown(_line(fields.row(at))) for at in positions]

    return Chunk(fields_kept, row_number, marked, raw_text)


def _damage(fields: pl.DataFrame) -> Damages:
    found = fields.select(
        is_long=pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64)) > ROW_BYTES,
        has_nul=pl.any_horizontal(pl.all().str.contains("\x00", literal=True)),
    )
    long = found["is_long"].to_numpy() * np.uint16(Damage.ROW_TOO_LONG)
    nul = found["has_nul"].to_numpy() * np.uint16(Damage.NUL_CHARACTER)
    return np.asarray(long | nul, dtype=np.uint16)


def _line(fields: Sequence[str]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerow(fields)
    return buffer.getvalue().removesuffix("\r\n")


def _shown(text: str) -> str:
    return shown(text.encode("utf-8", "backslashreplace"))
