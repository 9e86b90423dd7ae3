"""Order lines as a Parquet file."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.blocks import FileIdentity, identity_of
from pipeline.landing.chunks import Chunk, Damage
from pipeline.landing.columns import ColumnMap, map_columns
from pipeline.landing.dates import typed_format
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused, LandingError
from pipeline.landing.table_rows import Damages, plain_number, require_few_columns, table_chunk
from pipeline.sources import SourceSettings

_ROWS_PER_CHUNK = 50_000
# Days from 1970 to the years 1 and 9999: what lies beyond is no date to anybody.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_FRACTION_ZEROS = r"(\.[0-9]*?)0+(\+[0-9:]+|-[0-9:]+)?$"


class ParquetFile:
    """One Parquet file of order lines, open for reading; a context manager."""

    encoding: Encoding | None = None

    def __init__(self, path: Path, settings: SourceSettings) -> None:
        """Open the file and read its columns' names.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: it is damaged, or lacks a required column.
        """
        # It takes a moment to load, and few files need it.
        import pyarrow as pa
        from pyarrow import parquet

        self._damages = (pa.ArrowException, pl.exceptions.PolarsError, OSError, OverflowError, ValueError)
        self._settings = settings
        self.bytes_read = 0
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise LandingError(f"{path}: cannot be read ({error.strerror})") from error
        self.bytes_total = os.fstat(self._raw.fileno()).st_size
        try:
            self._file = parquet.ParquetFile(self._raw)
            headers = self._file.schema_arrow.names
            require_few_columns(headers)
            self.columns: ColumnMap = map_columns(headers, settings, "its columns")
        except LandingError:
            self._raw.close()
            raise
        except self._damages as error:
            self._raw.close()
            raise FileRefused(f"the Parquet file is damaged or cut short ({error}); send it again") from error

    def __enter__(self) -> "ParquetFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return identity_of(os.fstat(self._raw.fileno()))

    def chunks(self) -> Iterator[Chunk]:
        """The rows, a batch of a row group at a time."""
        row = 1
        total = max(self._file.metadata.num_rows, 1)
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS_PER_CHUNK, use_threads=False):
                self.bytes_read = self.bytes_total * min(row - 1 + batch.num_rows, total) // total
                if batch.num_rows:
                    numbers = np.arange(row, row + batch.num_rows, dtype=np.int64)
                    chunk = _chunk(_with_sound_text(batch), numbers, self._settings)
                    row += batch.num_rows
                    yield chunk
        except BaseException as error:
            # What Polars did not foresee, it ends with an exception that is no Exception.
            if not isinstance(error, self._damages) and type(error).__name__ != "PanicException":
                raise
            raise FileRefused(
                f"the Parquet file is damaged after its row {row - 1:,} ({error}); send it again"
            ) from error


def _with_sound_text(batch: Any) -> Any:
    """The batch, with text as bytes when not all of it is UTF-8: Polars takes text on trust."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        as_bytes = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
        columns = [column.cast(as_bytes.get(column.type, column.type)) for column in batch.columns]
        batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        batch.validate(full=True)
    return batch


def _chunk(batch: Any, numbers: npt.NDArray[np.int64], settings: SourceSettings) -> Chunk:
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    damage: Damages = np.zeros(frame.height, dtype=np.uint16)
    texts = []
    for position, column in enumerate(frame.iter_columns()):
        text = column_text(column, settings)
        lost = (column.is_not_null() & text.is_null()).to_numpy()
        damage |= np.asarray(lost * np.uint16(Damage.INVALID_UTF8), dtype=np.uint16)
        texts.append(text.alias(str(position)))
    return table_chunk(pl.DataFrame(texts), numbers, damage)


def column_text(column: pl.Series, settings: SourceSettings) -> pl.Series:
    """A column's values as text: numbers and dates as the source writes them, nested values as JSON.

    Numbers are exact. Bytes that are no text come out as null.
    """
    kind = column.dtype
    if kind.is_nested():
        values = [None if value is None else _json(value) for value in column.to_list()]
        return pl.Series(column.name, values, dtype=pl.String)
    if isinstance(kind, pl.Date | pl.Datetime):
        return _moment_text(column, typed_format(settings.date_format))
    if isinstance(kind, pl.Duration):
        return column.dt.to_string("iso")
    if isinstance(kind, pl.Binary):
        return pl.Series(column.name, [_decoded(value) for value in column.to_list()], dtype=pl.String)
    text = column.cast(pl.String, strict=False)
    if kind.is_float():
        # Float32 and Float64 come in their shortest form, some with an exponent.
        has_exponent = text.str.contains("e", literal=True).fill_null(value=False)
        if has_exponent.any():
            plain = [value and plain_number(value) for value in text.to_list()]
            text = pl.Series(column.name, plain, dtype=pl.String)
        # 180.0 is how 180 is shown.
        text = text.str.replace(r"\.0$", "")
    if kind.is_float() or kind.is_decimal():
        return text.str.replace(".", settings.decimal_mark, literal=True)
    return text


def _moment_text(column: pl.Series, date_format: str | None) -> pl.Series:
    """Dates and times in this format or ISO; the bare number where it is beyond the calendar."""
    kind = column.dtype
    per_day = _PER_DAY[kind.time_unit] if isinstance(kind, pl.Datetime) else 1
    number = column.to_physical().cast(pl.Int128)
    is_date = number.is_between(_FIRST_DAY * per_day, _LAST_DAY * per_day)
    dates = column.set(~is_date, None)
    # A time with an offset may be another day here: it is shown with it.
    has_offset = isinstance(kind, pl.Datetime) and kind.time_zone is not None
    if date_format is not None and not has_offset:
        text = dates.cast(pl.Datetime("ms")).dt.to_string(date_format)
    else:
        text = dates.dt.to_string("iso")
        if isinstance(kind, pl.Datetime):
            text = text.str.replace(_FRACTION_ZEROS, "${1}${2}").str.replace(r"\.(\+|-|$)", "${1}")
    return text.zip_with(is_date.fill_null(value=True), number.cast(pl.String))


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
