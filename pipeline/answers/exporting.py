"""Rows as CSV, Parquet and Arrow, written while they are read."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from pydantic import BaseModel

from pipeline.answers.cells import FORMULA_STARTS, csv_cell
from pipeline.answers.extras import is_extra
from pipeline.answers.models import Attributes, Money, Ratio
from pipeline.answers.streaming import Flat, Streamed

Row = Mapping[str, Any]
Format = Literal["json", "csv", "parquet", "arrow"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}

CHUNK_ROWS = 10_000
_MONEY = pa.decimal128(38, 12)
_RATIO = pa.decimal128(38, 6)
_TYPES: dict[Any, pa.DataType] = {
    Money: _MONEY, Ratio: _RATIO, str: pa.string(), int: pa.int64(), bool: pa.bool_(), date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"), Attributes: pa.string(),
}  # fmt: skip
_READ: dict[pa.DataType, Callable[[Any], Any]] = {
    _MONEY: Decimal,
    _RATIO: Decimal,
    pa.date32(): date.fromisoformat,
}

_LINE_END = b"\r\n"
# Cells as Postgres makes them. A sum has as many decimals as the summand that has more.
_AS_IT_IS = sql.SQL("{value}")
_COPIED: dict[pa.DataType, sql.SQL] = {
    _MONEY: sql.SQL("trim_scale({value}) + {zero}"),
    _RATIO: sql.SQL("round({value}, 6)"),
    # An empty text would be quoted.
    pa.string(): sql.SQL(
        "case when ascii({value}) in ({formula_codes}) then '''' || {value} else nullif({value}, '') end"
    ),
    pa.int64(): _AS_IT_IS,
    pa.date32(): _AS_IT_IS,
}
_FORMULA_CODES = sql.SQL(", ").join(sql.Literal(ord(start)) for start in FORMULA_STARTS)


@dataclass(frozen=True)
class Column:
    """One column of a flat row: its name, where its value is in the nested row, and its type."""

    name: str
    path: tuple[str, ...]
    type: pa.DataType

    def value(self, row: Row) -> Any:
        """The value as JSON has it, or None; an object as text."""
        found: Any = row
        for key in self.path:
            found = found.get(key) if found is not None else None
        return json.dumps(found, ensure_ascii=False) if isinstance(found, dict) else found

    def exact(self, row: Row) -> Any:
        """The value as Arrow takes it."""
        found = self.value(row)
        read = _READ.get(self.type)
        return read(found) if read and isinstance(found, str) else found


def columns_of(model: type[BaseModel], keys: Sequence[str] | None = None) -> list[Column]:
    """The columns of a row model; nested objects are flattened, ``product.id`` is ``product_id``.

    Args:
        model: the model of one row.
        keys: the fields that are there; None for all.
    """
    return list(_columns(model, keys, ()))


def _columns(
    model: type[BaseModel], keys: Sequence[str] | None, above: tuple[str, ...]
) -> Iterator[Column]:  # fmt: skip
    hints = get_type_hints(model, include_extras=True)
    for name in model.model_fields if keys is None else keys:
        if is_extra(name):
            yield Column(name, (name,), pa.string())
            continue
        path, hint = (*above, name), _without_none(hints[name])
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            yield from _columns(hint, None, path)
        else:
            yield Column("_".join(path), path, _type(hint))


def _type(hint: Any) -> pa.DataType:
    if get_origin(hint) is list:
        return pa.list_(_type(get_args(hint)[0]))
    if get_origin(hint) is Literal:
        return pa.string()
    return _TYPES[hint]


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, type(int | None)):
        choices = [choice for choice in get_args(hint) if choice is not NoneType]
        if len(choices) == 1:
            return choices[0]
    return hint


def written(
    format: Format, columns: Sequence[Column], rows: Iterable[Row], metadata: bytes
) -> Iterator[bytes]:
    """The bytes of a file of these rows, a piece at a time; ``metadata`` is JSON that goes along."""
    if format == "csv" and isinstance(rows, Streamed) and rows.flat is not None:
        return _copied_pieces(columns, rows, rows.flat)
    if format == "csv":
        return csv_pieces(columns, rows)
    return _arrow_pieces(format, columns, rows, metadata)


def csv_pieces(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """CSV with a header; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for chunk in _chunks(rows):
        for row in chunk:
            writer.writerow([_cell(column, row) for column in columns])
        yield _taken(text)
    yield _taken(text)


def _cell(column: Column, row: Row) -> object:
    value = column.value(row)
    if isinstance(value, list):
        return csv_cell(" ".join(map(str, value)))
    return csv_cell(value) if column.type in (pa.string(), pa.bool_()) else value


def _copied_pieces(columns: Sequence[Column], rows: Streamed, flat: Flat) -> Iterator[bytes]:
    """The same bytes as those of ``csv_pieces``, made by Postgres."""
    yield ",".join(column.name for column in columns).encode() + _LINE_END
    # Rows are put in order before their cells are made texts: texts take longer to be moved about.
    statement = sql.SQL("copy (select {cells} from ({rows} offset 0) as file_rows) to stdout (format csv)")
    cells = sql.SQL(", ").join(_copied_cell(column, flat.digits) for column in columns)
    copied = rows.copied(statement.format(cells=cells, rows=flat.rows))
    while chunk := list(islice(copied, CHUNK_ROWS)):
        # Every row ends with a line feed; there may be others within.
        yield _LINE_END.join([row[:-1] for row in chunk]) + _LINE_END


def _copied_cell(column: Column, digits: int) -> sql.Composable:
    return _COPIED[column.type].format(
        value=sql.Identifier(column.name),
        zero=sql.Literal(Decimal(0).scaleb(-digits)),
        formula_codes=_FORMULA_CODES,
    )


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


def _arrow_pieces(
    format: Format, columns: Sequence[Column], rows: Iterable[Row], metadata: bytes
) -> Iterator[bytes]:
    schema = pa.schema(
        [pa.field(column.name, column.type) for column in columns], metadata={b"tillhouse": metadata}
    )
    sink = _Sink()
    writer: Any = pq.ParquetWriter(sink, schema) if format == "parquet" else pa.ipc.new_stream(sink, schema)
    with writer:
        for chunk in _chunks(rows):
            arrays = [pa.array([column.exact(row) for row in chunk], column.type) for column in columns]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while chunk := list(islice(rest, CHUNK_ROWS)):
        yield chunk


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
