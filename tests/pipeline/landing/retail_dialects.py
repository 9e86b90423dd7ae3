"""The online shop's year of lines, written as other programs would have exported them."""

import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import xlsxwriter

_PREAMBLE = 'Online shop "UK"\nSales from 01/12/2010 to 09/12/2011\n\n'
_SHEET = "xl/worksheets/sheet1.xml"
_SHEET_BEGINS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
_SHEET_ENDS = "</sheetData></worksheet>"
# Excel counts days from here.
_DAY_ZERO = date(1899, 12, 30)
_NUMBERS = ("Quantity Sold", "Unit Price", "Discount", "Shipping Cost")


def text(lines: pl.DataFrame, **options: Any) -> str:
    """The lines as CSV."""
    written: str = lines.write_csv(**options)
    return written


def semicolons_and_decimal_commas(path: Path, lines: pl.DataFrame) -> None:
    """As a German Excel writes it."""
    amounts = pl.col("Unit Price", "Discount", "Shipping Cost").str.replace(".", ",", literal=True)
    written = text(lines.with_columns(amounts), separator=";", line_terminator="\r\n")
    path.write_bytes(written.encode("cp1252"))


def carriage_returns(path: Path, lines: pl.DataFrame) -> None:
    """As an old Macintosh wrote it."""
    path.write_bytes(text(lines, line_terminator="\r").encode("mac-roman"))


def tabs_in_utf16(path: Path, lines: pl.DataFrame) -> None:
    """What Excel calls Unicode text."""
    path.write_bytes(text(lines, separator="\t", line_terminator="\r\n").encode("utf-16"))


def days_first_below_a_preamble(path: Path, lines: pl.DataFrame) -> None:
    """A report: a title, and British dates."""
    days = pl.col("Date of Sale").str.to_date().dt.to_string("%d/%m/%Y")
    path.write_text(_PREAMBLE + text(lines.with_columns(days)), encoding="utf-8")


def typed(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines with dates and numbers as such."""
    return lines.with_columns(
        pl.col("Date of Sale").str.to_date(),
        pl.col("Quantity Sold").cast(pl.Int64),
        pl.col("Unit Price", "Discount", "Shipping Cost").cast(pl.Decimal(18, 3)),
    )


def workbook(path: Path, lines: pl.DataFrame) -> None:
    """An Excel workbook; its only sheet is written by Polars, because cell by cell it takes a minute."""
    empty = BytesIO()
    with xlsxwriter.Workbook(empty, {"default_date_format": "dd/mm/yyyy"}) as book:
        # The first format of the workbook: that of dates.
        book.add_worksheet().write_datetime(0, 0, _DAY_ZERO)
    with zipfile.ZipFile(empty) as parts, _archive(path) as archive:
        for name in parts.namelist():
            archive.writestr(name, _sheet(lines) if name == _SHEET else parts.read(name))


def _archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)


def _sheet(lines: pl.DataFrame) -> str:
    titles = pl.DataFrame([dict(zip(lines.columns, lines.columns, strict=True))])
    header = titles.select(_row([_string(name) for name in lines.columns])).item()
    rows = lines.select(_row([_cell(name) for name in lines.columns])).to_series()
    return "".join([_SHEET_BEGINS, header, *rows, _SHEET_ENDS])


def _row(cells: list[pl.Expr]) -> pl.Expr:
    return pl.concat_str(pl.lit("<row>"), *cells, pl.lit("</row>"))


def _cell(name: str) -> pl.Expr:
    if name == "Date of Sale":
        days = (pl.col(name).str.to_date() - pl.lit(_DAY_ZERO)).dt.total_days()
        return pl.format('<c s="1"><v>{}</v></c>', days)
    if name in _NUMBERS:
        return pl.format("<c><v>{}</v></c>", pl.col(name))
    return _string(name)


def _string(name: str) -> pl.Expr:
    escaped = pl.col(name).str.replace_many({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
    return pl.format('<c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>', escaped)


def parquet(path: Path, lines: pl.DataFrame) -> None:
    """A Parquet file."""
    typed(lines).write_parquet(path)


def json_lines(path: Path, lines: pl.DataFrame) -> None:
    """One JSON object on each line, amounts as numbers."""
    typed(lines).with_columns(pl.col(pl.Decimal).cast(pl.Float64)).write_ndjson(path)


def twelve_months(path: Path, lines: pl.DataFrame) -> None:
    """A zip archive of a file for each month; there are two Decembers."""
    with _archive(path) as archive:
        for (month,), part in lines.group_by(pl.col("Date of Sale").str.slice(5, 2)):
            archive.writestr(f"month {month}.csv", text(part))


# How it is written, and what is said of the source: what takes long is not read once more for its dates.
DIALECTS: Mapping[str, tuple[Callable[[Path, pl.DataFrame], None], dict[str, Any]]] = MappingProxyType(
    {
        "semicolons and decimal commas in cp1252": (
            semicolons_and_decimal_commas,
            {"encoding": "cp1252", "decimal_mark": ","},
        ),
        "carriage returns alone in MacRoman": (carriage_returns, {"encoding": "mac-roman"}),
        "tabs in UTF-16": (tabs_in_utf16, {}),
        "days first below a preamble": (days_first_below_a_preamble, {}),
        "Excel": (workbook, {"date_format": "%Y-%m-%d"}),
        "Parquet": (parquet, {}),
        "JSON lines": (json_lines, {"date_format": "%Y-%m-%d"}),
        "zip of twelve months": (twelve_months, {}),
    }
)
