"""Order lines as the first sheet of an Excel workbook (.xlsx)."""

import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
from python_calamine import CalamineError, CalamineSheet, load_workbook

from pipeline.landing.blocks import FileIdentity, identity_of
from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap, map_columns, our_columns
from pipeline.landing.dates import typed_format
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused, LandingError
from pipeline.landing.packing import members_of
from pipeline.landing.sheet_errors import error_cells
from pipeline.landing.table_rows import plain_number, require_few_columns, table_chunk
from pipeline.sources import FEEDS, SourceSettings

_ROWS_PER_CHUNK = 50_000
# So far down the line of headers is looked for.
_PREAMBLE_ROWS = 100
_EXACT_INTEGERS = 2**53


class Spreadsheet:
    """One workbook of order lines, open for reading; a context manager.

    The line of headers is the first that has one of the required columns; what is above it is no
    data. The sheet lies in memory as a whole: some 1.5 GB for the million rows that it can have.
    """

    encoding: Encoding | None = None

    def __init__(self, path: Path, settings: SourceSettings) -> None:
        """Open the workbook, read its first sheet and find the line of headers.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: it is damaged, empty, unpacks to too much, or lacks a required column.
        """
        self.bytes_read = 0
        self._settings = settings
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise LandingError(f"{path}: cannot be read ({error.strerror})") from error
        try:
            self.bytes_total = os.fstat(self._raw.fileno()).st_size
            members_of(path)
            self._errors = error_cells(path)
            self._sheet = self._first_sheet()
            self.header_row, headers = self._header()
            require_few_columns(headers)
            self.columns: ColumnMap = map_columns(headers, settings, f"row {self.header_row} of the sheet")
        except BaseException:
            self._raw.close()
            raise

    def __enter__(self) -> "Spreadsheet":
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return identity_of(os.fstat(self._raw.fileno()))

    def chunks(self) -> Iterator[Chunk]:
        """The rows that are not empty, in the sheet's order."""
        gathered: list[list[str]] = []
        numbers: list[int] = []
        for number, fields in self._rows():
            if number > self.header_row:
                gathered.append(fields)
                numbers.append(number)
            if len(gathered) == _ROWS_PER_CHUNK:
                yield self._chunk(gathered, numbers)
                gathered, numbers = [], []
        if gathered:
            yield self._chunk(gathered, numbers)

    def _first_sheet(self) -> CalamineSheet:
        try:
            return load_workbook(self._raw).get_sheet_by_index(0)
        except CalamineError as error:
            raise FileRefused(f"the spreadsheet is damaged ({error}); save it again as .xlsx") from error
        except BaseException as error:
            # What the library did not foresee, it ends with an exception that is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise FileRefused("the spreadsheet cannot be read; save it again as .xlsx, or as CSV") from error

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not empty, each with its number in the sheet."""
        offset = self._sheet.start[1] + 1 if self._sheet.start else 1
        rows_with_errors = {row for row, _ in self._errors}
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            fields = [cell_text(value, self._settings) for value in row]
            if number in rows_with_errors:
                fields = [
                    self._errors.get((number, position), text) for position, text in enumerate(fields, offset)
                ]
            if any(fields):
                yield number, fields

    def _header(self) -> tuple[int, list[str]]:
        first: tuple[int, list[str]] | None = None
        for number, fields in self._rows():
            first = first or (number, fields)
            if any(
                name in FEEDS[self._settings.feed].required for name in our_columns(fields, self._settings)
            ):
                return number, fields
            if number - first[0] > _PREAMBLE_ROWS:
                break
        if first is None:
            raise FileRefused("the spreadsheet's first sheet is empty: it must have a row of column names")
        return first

    def _chunk(self, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Chunk:
        self.bytes_read = self.bytes_total * numbers[-1] // max(self._sheet.total_height, numbers[-1])
        columns = zip(*rows, strict=True)
        frame = pl.DataFrame(
            {str(position): pl.Series(values, dtype=pl.String) for position, values in enumerate(columns)}
        )
        return table_chunk(frame, np.asarray(numbers, dtype=np.int64))


def cell_text(value: object, settings: SourceSettings) -> str:
    """A cell's value as Excel shows it, with fifteen digits; numbers and dates as the source writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value).replace(".", settings.decimal_mark)
    date_format = typed_format(settings.date_format)
    if isinstance(value, date) and date_format is not None:
        return value.strftime(date_format)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return plain_number(f"{value:.15g}")
