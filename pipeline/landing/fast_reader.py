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

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'
# Stands for a delimiter of the address while Polars splits the fields.
_STAND_IN = b"\x1a"

_Bytes = npt.NDArray[np.uint8]
_Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Layout:
    """The positions of the delimiters that separate fields, and how many each line has."""

    delimiters: _Positions
    by_line: _Positions


def read_fast(data: bytes, shape: Shape, first_line: int) -> Chunk | None:
    """The rows of a block, or None when it is not surely well-formed.

    ``first_line`` is the physical line number of the block's first line.
    """
    if not data.endswith(b"\n"):
        data += b"\n"
    if b"\x00" in data or not _is_utf8(data) or (shape.escape and shape.escape.encode() in data):
        return None
    codes = np.frombuffer(data, dtype=np.uint8)
    line_ends = np.flatnonzero(codes == _LINE_FEED)
    quotes = np.flatnonzero(codes == _QUOTE) if b'"' in data else np.empty(0, dtype=np.int64)
    if not (_lines_are_regular(data, line_ends) and _quotes_are_regular(codes, quotes, line_ends, shape)):
        return None
    text = _parse(data, shape)
    if text is not None and _has_all_fields(text, data, line_ends, shape):
        return _chunk(text, data, line_ends, first_line)
    if text is not None or not shape.joins_surplus:
        return None
    text = _parse_with_surplus(data, quotes, line_ends, shape)
    return None if text is None else _chunk(text, data, line_ends, first_line)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines_are_regular(data: bytes, line_ends: _Positions) -> bool:
    """Whether no line is empty or too long, and carriage returns only end lines."""
    lengths = np.diff(line_ends, prepend=-1)
    if lengths.min() == 1 or lengths.max() > ROW_BYTES:
        return False
    if b"\r" not in data:
        return True
    is_empty = data.startswith(b"\r\n") or b"\n\r\n" in data
    return not is_empty and data.count(b"\r") == data.count(b"\r\n")


def _quotes_are_regular(codes: _Bytes, quotes: _Positions, line_ends: _Positions, shape: Shape) -> bool:
    """Whether every quote opens a field, closes one, or is doubled inside one, on one line (RFC 4180).

    An opening quote follows a delimiter, a line feed or (doubled) a closing quote; a closing
    one is followed by a delimiter, the line's end or (doubled) an opening quote.
    """
    if len(quotes) == 0:
        return True
    if len(quotes) % 2 or (np.searchsorted(quotes, line_ends) % 2).any():
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    delimiter = ord(shape.delimiter)
    before = codes[opening[opening > 0] - 1]
    after = codes[closing + 1]
    opens = (before == delimiter) | (before == _LINE_FEED) | (before == _QUOTE)
    closes = (after == delimiter) | (after == _LINE_FEED) | (after == _RETURN) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def _parse(data: bytes, shape: Shape) -> pl.DataFrame | None:
    """The fields as text; None when a row has too many. Fields that a row lacks come out empty."""
    try:
        return pl.read_csv(
            data,
            has_header=False,
            separator=shape.delimiter,
            schema=shape.schema,
            infer_schema=False,
            empty_string_is_null=False,
            missing_columns="insert",
            extra_columns="raise",
        )
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):
        return None


def _has_all_fields(text: pl.DataFrame, data: bytes, line_ends: _Positions, shape: Shape) -> bool:
    """Whether every line is a row with a value, if an empty one, for each column.

    Only a row whose last field is empty can lack one: the delimiters of these rows are counted.
    """
    if text.height != len(line_ends):
        return False
    blank = text.select(pl.arg_where(pl.col(text.columns[-1]) == "")).to_series().cast(pl.Int64).to_numpy()
    if len(blank) == 0:
        return True
    starts = np.where(blank > 0, line_ends[blank - 1] + 1, 0).tolist()
    lines = b"".join(
        data[start : end + 1] for start, end in zip(starts, line_ends[blank].tolist(), strict=True)
    )
    codes = np.frombuffer(lines, dtype=np.uint8)
    layout = _layout(codes, np.flatnonzero(codes == _QUOTE), shape)
    return bool((layout.by_line == shape.width - 1).all())


def _layout(codes: _Bytes, quotes: _Positions, shape: Shape) -> _Layout:
    """The separating delimiters of a block whose quotes are regular."""
    borders = np.flatnonzero((codes == ord(shape.delimiter)) | (codes == _LINE_FEED))
    if len(quotes):
        borders = borders[np.searchsorted(quotes, borders) % 2 == 0]
    is_end = codes[borders] == _LINE_FEED
    return _Layout(borders[~is_end], np.diff(np.flatnonzero(is_end), prepend=-1) - 1)


def _parse_with_surplus(
    data: bytes, quotes: _Positions, line_ends: _Positions, shape: Shape
) -> pl.DataFrame | None:
    """The fields of rows whose last column has delimiters of its own; None when not surely so."""
    layout = _layout(np.frombuffer(data, dtype=np.uint8), quotes, shape)
    if layout.by_line.min() < shape.width - 1:
        return None
    hidden = _hide_surplus_delimiters(data, quotes, line_ends, layout, shape.width)
    text = None if hidden is None else _parse(hidden, shape)
    if text is None or text.height != len(line_ends):
        return None
    last = pl.col(text.columns[-1])
    return text.with_columns(last.str.replace_all(_STAND_IN.decode(), shape.delimiter, literal=True))


def _hide_surplus_delimiters(
    data: bytes, quotes: _Positions, line_ends: _Positions, layout: _Layout, width: int
) -> bytes | None:
    """The block with the delimiters that belong to the last column replaced; None when it is quoted too."""
    if _STAND_IN in data:
        return None
    firsts = np.cumsum(layout.by_line) - layout.by_line
    if len(quotes):
        long_lines = np.flatnonzero(layout.by_line >= width)
        starts = layout.delimiters[firsts[long_lines] + width - 2]
        ends = line_ends[long_lines]
        if (np.searchsorted(quotes, starts) != np.searchsorted(quotes, ends)).any():
            return None
    rank = np.arange(len(layout.delimiters)) - np.repeat(firsts, layout.by_line)
    codes = np.frombuffer(bytearray(data), dtype=np.uint8)
    codes[layout.delimiters[rank >= width - 1]] = _STAND_IN[0]
    return codes.tobytes()


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
