"""Order lines written in every way that the product says it can read, for property tests."""

import codecs
import gzip
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import polars as pl
import pyarrow as pa
import xlsxwriter

from pipeline.sources import SourceSettings

# The quantity has a name of its own, with a letter that is no ASCII.
TITLES = (
    "Order ID",
    "Product ID",
    "Product Name",
    "Region",
    "Date of Sale",
    "Stückzahl",
    "Unit Price",
    "Discount",
    "Note",
)
COLUMNS = {"quantity": "Stückzahl"}


@dataclass(frozen=True)
class Line:
    """An order line as it is meant."""

    order_id: str
    product_id: str
    name: str
    region: str
    day: date
    quantity: int
    price: Decimal
    discount: Decimal
    note: str

    @property
    def values(self) -> tuple[Any, ...]:
        """The line's values, in the order of TITLES."""
        return tuple(vars(self).values())


@dataclass(frozen=True)
class Dialect:
    """How a file of text is written.

    ``mark`` says whether the text begins with a byte order mark, ``declared`` whether the source says the
    encoding and the delimiter or they are to be found out.
    """

    encoding: str
    mark: bool
    declared: bool
    delimiter: str
    line_end: str
    quotes_all: bool
    escape: str | None
    decimal_mark: str
    thousands_mark: str | None
    date_format: str
    percent: bool
    preamble: Sequence[str]
    blank_lines: bool
    last_line_ends: bool
    packing: str

    @property
    def settings(self) -> SourceSettings:
        """What is said of the source."""
        said: dict[str, Any] = {
            "columns": COLUMNS,
            "escape": self.escape,
            "decimal_mark": self.decimal_mark,
            "thousands_mark": self.thousands_mark,
            "date_format": self.date_format,
            "discount": "percent" if self.percent else "fraction",
            "duplicate_rows": "keep",
        }
        if self.declared:
            encoding = "utf-16" if self.encoding.startswith("utf-16") else self.encoding
            said |= {"encoding": encoding, "delimiter": self.delimiter}
        return SourceSettings(**said)

    def written(self, lines: Sequence[Line]) -> bytes:
        """The file."""
        if self.packing == "zip of several":
            middle = len(lines) // 2
            return _zip([self._bytes(lines[:middle]), self._bytes(lines[middle:])])
        data = self._bytes(lines)
        packers: dict[str, Callable[[bytes], bytes]] = {
            "none": bytes,
            "gzip": gzip.compress,
            "zstandard": zstandard,
            "zip": lambda whole: _zip([whole]),
        }
        return packers[self.packing](data)

    def read_as(self, lines: Sequence[Line]) -> list[Line]:
        """What the lines are read as: of a line end inside a field only that it is one is kept."""
        if self.line_end != "\r":
            return list(lines)
        return [Line(*map(_with_line_feeds, line.values)) for line in lines]

    def head(self) -> str:
        """The text above the rows."""
        return "".join(line + self.line_end for line in (*self.preamble, self._line(TITLES)))

    def row(self, line: Line) -> str:
        """One line as text, without its end."""
        texts = [
            line.order_id,
            line.product_id,
            line.name,
            line.region,
            line.day.strftime(self.date_format),
            self.number(Decimal(line.quantity)),
            self.number(line.price),
            self.number(line.discount * 100) + "%" if self.percent else self.number(line.discount),
            line.note,
        ]
        return self._line(texts)

    def encoded(self, text: str) -> bytes:
        """The text in the dialect's encoding, with its mark if it has one."""
        marks = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
        return (marks[self.encoding] if self.mark else b"") + text.encode(self.encoding)

    def number(self, value: Decimal) -> str:
        """A number with the dialect's marks."""
        whole, _, fraction = f"{value:,f}".partition(".")
        whole = whole.replace(",", self.thousands_mark or "")
        return whole + (self.decimal_mark + fraction if fraction else "")

    def _bytes(self, lines: Sequence[Line]) -> bytes:
        end = self.line_end * (2 if self.blank_lines else 1)
        text = end.join(map(self.row, lines))
        return self.encoded(self.head() + text + (self.line_end if self.last_line_ends else ""))

    def _line(self, texts: Sequence[str]) -> str:
        return self.delimiter.join(map(self._field, texts))

    def _field(self, text: str) -> str:
        special = {self.delimiter, '"', "\r", "\n", self.escape}
        if not self.quotes_all and not special & set(text):
            return text
        if self.escape is None:
            return '"' + text.replace('"', '""') + '"'
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _with_line_feeds(value: Any) -> Any:
    return value.replace("\r", "\n") if isinstance(value, str) else value


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def _zip(members: Sequence[bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(members):
            archive.writestr(f"{number}.csv", data)
    return buffer.getvalue()


def as_workbook(lines: Sequence[Line]) -> bytes:
    """An Excel workbook, numbers and dates as such."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        page = book.add_worksheet()
        for number, row in enumerate([TITLES, *(line.values for line in lines)]):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(number, column, value)
                elif isinstance(value, date):
                    page.write_datetime(number, column, value)
                else:
                    page.write_number(number, column, value)
    return buffer.getvalue()


def as_parquet(lines: Sequence[Line]) -> bytes:
    """A Parquet file, amounts as decimals."""
    buffer = BytesIO()
    kinds: list[Any] = [*[pl.String] * 4, pl.Date, pl.Int64, pl.Decimal(18, 6), pl.Decimal(18, 6), pl.String]
    rows = [line.values for line in lines]
    frame = pl.DataFrame(rows, schema=dict(zip(TITLES, kinds, strict=True)), orient="row")
    frame.write_parquet(buffer, row_group_size=7)
    return buffer.getvalue()


def objects(lines: Sequence[Line]) -> list[str]:
    """Each line as a JSON object, amounts as numbers digit for digit."""
    return [_object(line) for line in lines]


def _object(line: Line) -> str:
    members = (
        f"{json.dumps(title)}:{value if isinstance(value, int | Decimal) else json.dumps(str(value))}"
        for title, value in zip(TITLES, line.values, strict=True)
    )
    return "{" + ", ".join(members) + "}"


def as_json(lines: Sequence[Line]) -> bytes:
    """A JSON list."""
    return f"[{','.join(objects(lines))}]".encode()


def as_json_under_a_key(lines: Sequence[Line]) -> bytes:
    """A JSON document as web services send it."""
    listed = ",\n".join(objects(lines))
    return f'{{"pages": 1.5, "data": [\n{listed}\n], "rate": 10.25}}'.encode()


def as_json_lines(lines: Sequence[Line]) -> bytes:
    """One JSON object on each line."""
    return "\n".join(objects(lines)).encode()


TABLES = (as_workbook, as_parquet, as_json, as_json_under_a_key, as_json_lines)
