"""Rejected rows as a file that people correct: written in the columns of their own file, and read again."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TextIO

import polars as pl

from pipeline.answers.cells import csv_cell
from pipeline.landing.blocks import FileIdentity
from pipeline.landing.checking import with_date_format
from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused
from pipeline.landing.opening import open_order_lines
from pipeline.sources import FEEDS, SourceSettings

ROW_COLUMN = "tillhouse_row"
REASONS_COLUMN = "tillhouse_reasons"
TEXT_COLUMN = "tillhouse_text"
_OURS = (ROW_COLUMN, REASONS_COLUMN, TEXT_COLUMN)
# What csv_cell puts before a cell that a spreadsheet would run.
_DISARMED = r"^'([=+\-@\t\r\n＝＋－＠])"


@dataclass(frozen=True)
class Rejected:
    """Why a row was rejected, and its text in the file."""

    reasons: tuple[str, ...]
    raw_text: str


def write_rejects(
    original: Path, settings: SourceSettings, rejected: dict[int, Rejected], output: TextIO
) -> None:
    """Write rejected rows (by number) as CSV: the original's own columns, then ours.

    A field that could not be told is empty; the row's whole text is in the last column.

    Raises:
        FileRefused: the original cannot be read as its source is described now.
    """
    writer = csv.writer(output, lineterminator="\n")
    numbers = pl.Series(list(rejected), dtype=pl.Int64)
    with open_order_lines(original, with_date_format(original, settings)) as file:
        writer.writerow([*map(csv_cell, _headers(file.columns, settings)), *_OURS])
        for chunk in file.chunks():
            wanted = pl.Series(chunk.row_number).is_in(numbers.implode())
            rows = chunk.text.filter(wanted).fill_null("").iter_rows()
            for number, fields in zip(chunk.row_number[wanted.to_numpy()], rows, strict=True):
                found = rejected[int(number)]
                cells = [*fields, int(number), ", ".join(found.reasons), found.raw_text]
                writer.writerow(map(csv_cell, cells))


def _headers(columns: ColumnMap, settings: SourceSettings) -> list[str]:
    titles = {**FEEDS[settings.feed].columns, **settings.columns}
    by_position = {position: titles[name] for name, position in columns.positions.items()} | {
        position: title for title, position in columns.extra.items()
    }
    return [by_position[position] for position in range(columns.width)]


class CorrectedRows:
    """Such a file open for reading, as order lines that have their first numbers; a context manager."""

    def __init__(self, path: Path, settings: SourceSettings, waiting: pl.Series) -> None:
        """Open it; ``waiting`` are the numbers that may come.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: it is no such file.
        """
        # The values are written as in the original, the file as ours are or as a spreadsheet saves it.
        self.settings = settings.model_copy(
            update={"encoding": None, "delimiter": None, "escape": None, "duplicate_rows": "keep"}
        )
        self._waiting = waiting
        self._file = open_order_lines(path, self.settings)
        extra = self._file.columns.extra
        if ROW_COLUMN not in extra:
            self._file.__exit__(None, None, None)
            raise FileRefused(
                f"the corrected rows have no column {ROW_COLUMN}: begin with the file that "
                "`tillhouse rejects BATCH --to FILE` writes, and keep its columns"
            )
        self._position = str(extra[ROW_COLUMN])
        others = {title: position for title, position in extra.items() if title not in _OURS}
        self.columns = replace(self._file.columns, extra=others)
        self.encoding: Encoding | None = self._file.encoding

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.__exit__(*exception)

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return self._file.identity

    @property
    def bytes_total(self) -> int:
        """The file's size on disk."""
        return self._file.bytes_total

    @property
    def bytes_read(self) -> int:
        """How much of the file on disk the chunks so far make up."""
        return self._file.bytes_read

    def chunks(self) -> Iterator[Chunk]:
        """The rows, under the numbers that they were rejected with.

        Raises:
            FileRefused: a row's number is none, comes twice, or is of no row that waits.
        """
        seen: set[int] = set()
        for chunk in self._file.chunks():
            numbers = chunk.text[self._position].str.strip_chars().cast(pl.Int64, strict=False)
            unknown = ~numbers.is_in(self._waiting.implode()).fill_null(value=False)
            if unknown.any():
                line = int(chunk.row_number[unknown.arg_true()[0]])
                raise FileRefused(
                    f"line {line} of the corrected rows: {ROW_COLUMN} names none of the batch's rejected "
                    "rows; each row needs the number that it was rejected with, and can be replayed once"
                )
            twice = numbers.is_duplicated() | numbers.is_in(pl.Series(list(seen), dtype=pl.Int64).implode())
            if twice.any():
                number = numbers.filter(twice)[0]
                raise FileRefused(f"the corrected rows have row {number} more than once")
            seen.update(numbers)
            text = chunk.text.with_columns(pl.all().str.replace(_DISARMED, "${1}"))
            yield replace(chunk, text=text, row_number=numbers.to_numpy())
