"""The reading of blocks that are surely well-formed, by Polars.

Whatever is in doubt (a quote that opens or closes in an odd place, a row with the wrong
number of fields, an empty line, bytes that are no text) is left to ``slow_reader``, so both
give the same rows; a test compares them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.blocks import ROW_BYTES
from pipeline.landing.chunks import Chunk, Shape, shown

_LINE_FEED, _RETURN, _QUOTE, _COMMA = b'\n\r",'
# Stands for a comma of the address while Polars splits the fields.
_STAND_IN = b"\x1a"

_Bytes = npt.NDArray[np.uint8]
_Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Layout:
    """Where a block's lines end (positions of their line feeds) and its fields do."""

    line_ends: _Positions
    commas: _Positions
    commas_by_line: _Positions


def read_fast(data: bytes, shape: Shape, first_line: int) -> Chunk | None:
    """The rows of a block, or None when it is not surely well-formed.

    ``first_line`` is the physical line number of the block's first line.
    """
    if not data.endswith(b"\n"):
        data += b"\n"
    if b"\x00" in data or not _is_utf8(data) or _has_odd_line_ends(data):
        return None
    codes = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE) if b'"' in data else np.empty(0, dtype=np.int64)
    if not _quotes_are_regular(codes, quotes):
        return None
    layout = _layout(codes, quotes)
    if layout is None:
        return None
    parsable: bytes | None = data
    surplus = layout.commas_by_line - (shape.width - 1)
    if surplus.min() < 0 or (surplus.max() > 0 and not shape.joins_surplus):
        return None
    if surplus.max() > 0:
        parsable = _hide_surplus_commas(data, quotes, layout, shape.width)
    if parsable is None:
        return None
    text = _parse(parsable, shape)
    if text.height != len(layout.line_ends):
        return None
    if parsable is not data:
        last = pl.col(text.columns[-1])
        text = text.with_columns(last.str.replace_all(_STAND_IN.decode(), ",", literal=True))
    return _chunk(text, data, layout.line_ends, first_line)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_odd_line_ends(data: bytes) -> bool:
    """Whether there are empty lines, or carriage returns that do not end a line."""
    if data.startswith((b"\n", b"\r\n")) or b"\n\n" in data:
        return True
    if b"\r" not in data:
        return False
    return b"\n\r\n" in data or data.count(b"\r") != data.count(b"\r\n")


def _quotes_are_regular(codes: _Bytes, quotes: _Positions) -> bool:
    """Whether every quote opens a field, closes one, or is doubled inside one (RFC 4180).

    An opening quote follows a comma, a line feed or (doubled) a closing quote; a closing
    one is followed by a comma, the line's end or (doubled) an opening quote.
    """
    if len(quotes) == 0:
        return True
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = codes[opening[opening > 0] - 1]
    after = codes[closing + 1]
    opens = (before == _COMMA) | (before == _LINE_FEED) | (before == _QUOTE)
    closes = (after == _COMMA) | (after == _LINE_FEED) | (after == _RETURN) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def _layout(codes: _Bytes, quotes: _Positions) -> _Layout | None:
    """Line ends and separating commas; None when a quoted field spans lines or a line is too long."""
    borders = np.flatnonzero((codes == _COMMA) | (codes == _LINE_FEED))
    is_end = codes[borders] == _LINE_FEED
    if len(quotes):
        inside = np.searchsorted(quotes, borders) % 2 == 1
        if (inside & is_end).any():
            return None
        borders, is_end = borders[~inside], is_end[~inside]
    ends = np.flatnonzero(is_end)
    line_ends = borders[ends]
    if np.diff(line_ends, prepend=-1).max() > ROW_BYTES:
        return None
    return _Layout(line_ends, borders[~is_end], np.diff(ends, prepend=-1) - 1)


def _hide_surplus_commas(data: bytes, quotes: _Positions, layout: _Layout, width: int) -> bytes | None:
    """The block with the commas that belong to the last column replaced; None when one is quoted too."""
    if _STAND_IN in data:
        return None
    firsts = np.cumsum(layout.commas_by_line) - layout.commas_by_line
    if len(quotes):
        long_lines = np.flatnonzero(layout.commas_by_line >= width)
        starts = layout.commas[firsts[long_lines] + width - 2]
        ends = layout.line_ends[long_lines]
        if (np.searchsorted(quotes, starts) != np.searchsorted(quotes, ends)).any():
            return None
    rank = np.arange(len(layout.commas)) - np.repeat(firsts, layout.commas_by_line)
    codes = np.frombuffer(bytearray(data), dtype=np.uint8)
    codes[layout.commas[rank >= width - 1]] = _STAND_IN[0]
    return codes.tobytes()


def _parse(data: bytes, shape: Shape) -> pl.DataFrame:
    return pl.read_csv(
        data,
        has_header=False,
        schema=shape.schema,
        infer_schema=False,
        empty_string_is_null=False,
    )


def _chunk(text: pl.DataFrame, data: bytes, line_ends: _Positions, first_line: int) -> Chunk:
    def raw_text(positions: Sequence[int]) -> list[str]:
        starts = (int(line_ends[at - 1]) + 1 if at else 0 for at in positions)
        return [shown(data[start : line_ends[at]]) for start, at in zip(starts, positions, strict=True)]

    rows = text.height
    return Chunk(
        text=text,
        row_number=np.arange(first_line, first_line + rows, dtype=np.int64),
        damage=np.zeros(rows, dtype=np.uint16),
        raw_text=raw_text,
    )
