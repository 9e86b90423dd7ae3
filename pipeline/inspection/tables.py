"""The table in a file, before anything is known of its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.inspection.matching import known_columns
from pipeline.landing.archive import OrderLineArchive
from pipeline.landing.blocks import ROW_BYTES, BlockReader
from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap, our_columns
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import MissingColumns
from pipeline.landing.header import header_attempts
from pipeline.landing.opening import Form, OrderLines, open_order_lines
from pipeline.landing.reader import OrderLineFile
from pipeline.sources import FEEDS, SourceSettings

# So many bytes (of Parquet and spreadsheets: so many rows) are looked at to tell how numbers are written.
_SAMPLE_BYTES = 4 * 1024 * 1024
_PREAMBLE_ROWS = 100
# Stands in for required columns while a file without them is looked at.
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Headers:
    """The column names, the line they are on (in formats that have one), and what separates them."""

    names: tuple[str, ...]
    line: int | None = None
    delimiter: str | None = None


@dataclass(frozen=True)
class Sample:
    """The first rows of a file, where its columns are, and how its text is written."""

    columns: ColumnMap
    encoding: Encoding | None
    chunk: Chunk | None

    @property
    def rows(self) -> int:
        """How many rows they are."""
        return 0 if self.chunk is None else self.chunk.text.height

    @property
    def damaged_rows(self) -> int:
        """How many of them are not written as the format wants it."""
        return 0 if self.chunk is None else int((self.chunk.damage != 0).sum())

    def values(self, position: int) -> pl.Series:
        """The values of a column that are not blank, trimmed."""
        if self.chunk is None:
            return pl.Series([], dtype=pl.String)
        texts = self.chunk.text[str(position)].str.strip_chars()
        return texts.filter(texts.is_not_null() & (texts != ""))

    def of_column(self, name: str) -> pl.Series:
        """The values of a column of ours; none when the file lacks it."""
        position = self.columns.positions.get(name)
        return self.values(position) if position is not None else pl.Series([], dtype=pl.String)


def find_headers(path: Path, form: Form, settings: SourceSettings) -> Headers:
    """The column names, even if they do not name what is needed.

    Raises:
        LandingError: the file cannot be opened.
        FileRefused: it is no table.
    """
    try:
        with open_order_lines(path, settings, _SAMPLE_BYTES) as file:
            return headers_of(file)
    except MissingColumns as error:
        if form.kind == "CSV":
            return _headers_of_text(path, form, settings)
        if form.kind == "Excel":
            return _headers_of_sheet(path, settings)
        return Headers(error.headers)


def headers_of(file: OrderLines) -> Headers:
    """The column names of a file that is open."""
    if isinstance(file, OrderLineFile | OrderLineArchive):
        return Headers(file.columns.headers, file.header.line, file.header.delimiter)
    return Headers(file.columns.headers, getattr(file, "header_row", None))


def read_sample(path: Path, settings: SourceSettings) -> Sample:
    """The first rows, also of a file that lacks columns that are required.

    Raises:
        LandingError: the file cannot be opened.
        FileRefused: it cannot be read.
    """
    with _open_anyhow(path, settings) as file:
        return Sample(file.columns, file.encoding, next(file.chunks(), None))


def _open_anyhow(path: Path, settings: SourceSettings) -> OrderLines:
    """The file, with constants for the required columns that it lacks."""
    try:
        return open_order_lines(path, settings, _SAMPLE_BYTES)
    except MissingColumns as error:
        named = set(our_columns(error.headers, settings))
        there = {name: header for name, header in settings.columns.items() if name in named}
        known = named | settings.constants.keys()
        stand_ins = {name: _UNKNOWN for name in FEEDS[settings.feed].required if name not in known}
        update = {"columns": there, "constants": {**settings.constants, **stand_ins}}
        return open_order_lines(path, settings.model_copy(update=update), _SAMPLE_BYTES)


def _headers_of_text(path: Path, form: Form, settings: SourceSettings) -> Headers:
    """The line that names the most columns of ours in some way; else the one with the most names."""
    blocks = BlockReader(path, ROW_BYTES, form.members[0].filename if form.members else None)
    try:
        blocks.decode(settings.encoding)
        head = blocks.head(ROW_BYTES)
    finally:
        blocks.close()
    attempts = list(header_attempts(head, settings))
    best = max(attempts, key=lambda attempt: _likelihood(attempt.names, settings))
    return Headers(best.names, best.line, best.delimiter)


def _headers_of_sheet(path: Path, settings: SourceSettings) -> Headers:
    with _open_anyhow(path, settings) as file:
        first, chunk = headers_of(file), next(file.chunks(), None)
    rows = [(first.names, first.line)]
    if chunk is not None:
        names = chunk.text.head(_PREAMBLE_ROWS).fill_null("").rows()
        rows += zip(names, chunk.row_number.tolist(), strict=False)
    best, line = max(rows, key=lambda row: _likelihood(row[0], settings))
    return Headers(best, line)


def _likelihood(names: Sequence[str], settings: SourceSettings) -> tuple[int, int]:
    titles = {name.strip() for name in names if any(character.isalpha() for character in name)}
    return known_columns(names, settings), len(titles)
