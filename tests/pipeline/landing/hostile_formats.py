"""More small files as people really have them: packed, of other formats, at the limits, odd in other ways."""

import gzip
import json
import zipfile
from datetime import date
from io import BytesIO
from typing import Any

import polars as pl
import xlsxwriter

from tests.pipeline.landing.dialects import zstandard
from tests.pipeline.landing.hostile_files import (
    GERMAN_COLUMNS,
    HEADER,
    ROW,
    ROWS,
    TWO,
    Hostile,
    at,
    line,
    on,
    text,
)

NAMES = HEADER.rstrip("\n").split(",")
PLAIN = text(HEADER + TWO)
OBJECTS: list[dict[str, Any]] = [
    dict(zip(NAMES, ("1", "P1", "2024-01-31", 2, 10.5, 0.1, "Asia"), strict=True)),
    dict(zip(NAMES, ("2", "P2", "2024-02-01", -1, 3, None, None), strict=True)),
]
MIXED = "\r\n".join((HEADER + TWO).split("\n", 1))
# As a spreadsheet leaves them below and between its rows.
ROWS_OF_COMMAS = text(f"{HEADER},,,,,,\n{TWO},,,13.50,,,\n")


def zipped(members: dict[str, bytes], claimed: int | None = None) -> bytes:
    """A zip archive; its first member may claim another size than it has."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        if claimed is not None:
            archive.infolist()[0].file_size = claimed
    return buffer.getvalue()


def sheet(*rows: tuple[Any, ...]) -> bytes:
    """A workbook; an error is a formula's outcome."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "dd.mm.yyyy"}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if value == "#N/A":
                    page.write_formula(number, column, "=NA()", None, value)
                else:
                    page.write(number, column, value)
    return buffer.getvalue()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = BytesIO()
    pl.DataFrame(rows).write_parquet(buffer)
    return buffer.getvalue()


PACKED = (
    Hostile("gzip", gzip.compress(PLAIN), rows=ROWS),
    Hostile("zstandard", zstandard(PLAIN), rows=ROWS),
    Hostile("a zip archive of one file", zipped({"sales.csv": PLAIN}), rows=ROWS),
    Hostile(
        "a zip archive of two files",
        zipped(
            {
                "2.csv": text(HEADER + TWO[TWO.index("\n") + 1 :]),
                "1.csv": text(HEADER + TWO[: TWO.index("\n")]),
            }
        ),
        rows=ROWS,
    ),
    Hostile("a zip archive as macOS makes it", zipped({"a.csv": PLAIN, "__MACOSX/._a.csv": b"x"}), rows=ROWS),
    Hostile(
        "a zip archive of files with other columns",
        zipped({"1.csv": PLAIN, "2.csv": PLAIN.replace(b"Region", b"Country")}),
        refused="the zip archive's member '2.csv' has other column names than '1.csv'",
    ),
    Hostile("a zip archive of nothing", zipped({}), refused="the zip archive is empty"),
    Hostile("gzip cut short", gzip.compress(PLAIN)[:-12], refused="the gzip data is damaged or cut short"),
    Hostile(
        "zstandard cut short", zstandard(PLAIN)[:-9], refused="the zstandard data is damaged or cut short"
    ),
    Hostile(
        "a zip archive cut short",
        zipped({"1.csv": PLAIN})[:-30],
        refused="the zip archive is damaged or cut short",
    ),
    Hostile(
        "packed twice",
        gzip.compress(gzip.compress(PLAIN)),
        refused="the file is no CSV text: it looks like packed twice",
    ),
    Hostile(
        "a zip bomb",
        zipped({"1.csv": PLAIN}, claimed=2 * 1024**3),
        refused="the file unpacks to more than 1,073,741,824 bytes",
    ),
)

FORMATS = (
    Hostile(
        "Excel with a title above the table",
        sheet(("Sales of January",), (), tuple(NAMES), ("1", "P1", date(2024, 1, 31), 2, 10.5, 0.1, "Asia")),
        rows=(ROW,),
    ),
    Hostile(
        "Excel with an error in a cell",
        sheet(
            tuple(NAMES), ("1", "P1", "2024-01-31", 2, 10.5, "#N/A", "Asia"), ("2", "P2", "2024-02-01", -1, 3)
        ),
        rows=ROWS[1:],
        reasons={"discount_invalid": 1},
    ),
    Hostile(
        "Excel without a table",
        sheet(("Sales of January",)),
        refused="required columns are missing: Order ID,",
    ),
    Hostile(
        "Excel with a line end in a cell",
        sheet(tuple(NAMES), (*ROW[:4], 10.5, 0.1, "North\r\nAmerica")),
        rows=(line("North\r\nAmerica"),),
    ),
    Hostile(
        "Excel cut short", sheet(tuple(NAMES), ROW)[:-40], refused="the zip archive is damaged or cut short"
    ),
    Hostile(
        "an old Excel file",
        b"\xd0\xcf\x11\xe0" + bytes(600),
        refused="the file is no CSV text: it looks like an old spreadsheet",
    ),
    Hostile("a PDF", b"%PDF-1.7\n", refused="the file is no CSV text: it looks like a PDF"),
    Hostile(
        "Excel of a source with decimal commas, one price a text",
        sheet(
            tuple(NAMES),
            ("1", "P1", "2024-01-31", 2, 10.5, 0.1, "Asia"),
            ("2", "P2", "2024-02-01", -1, "3,00"),
        ),
        {"decimal_mark": ",", "thousands_mark": "."},
        rows=ROWS,
    ),
    Hostile(
        "Excel of a source with days first, one date a text",
        sheet(
            tuple(NAMES),
            ("1", "P1", date(2024, 1, 31), 2, 10.5, 0.1, "Asia"),
            ("2", "P2", "01.02.2024", -1, 3),
        ),
        {"date_format": "%d.%m.%Y"},
        rows=ROWS,
    ),
    Hostile(
        "Parquet of a source with months first",
        parquet([row | {"Date of Sale": date.fromisoformat(row["Date of Sale"])} for row in OBJECTS]),
        {"date_format": "%m/%d/%y"},
        rows=ROWS,
    ),
    Hostile("Parquet of a source with decimal commas", parquet(OBJECTS), {"decimal_mark": ","}, rows=ROWS),
    Hostile(
        "JSON of a source with decimal commas",
        json.dumps(OBJECTS).encode(),
        {"decimal_mark": ",", "thousands_mark": "."},
        rows=ROWS,
    ),
    Hostile("Parquet", parquet(OBJECTS), rows=ROWS),
    Hostile("Parquet cut short", parquet(OBJECTS)[:-9], refused="the Parquet file is damaged or cut short"),
    Hostile("a JSON list", json.dumps(OBJECTS).encode(), rows=ROWS),
    Hostile(
        "JSON of a web service",
        json.dumps({"count": 2, "results": OBJECTS, "next": None}).encode(),
        rows=ROWS,
    ),
    Hostile(
        "JSON with two lists",
        json.dumps({"a": OBJECTS, "b": OBJECTS}).encode(),
        refused="the JSON has two lists of objects, under 'a' and 'b'",
    ),
    Hostile("JSON cut short", json.dumps(OBJECTS).encode()[:-9], refused="the JSON is broken"),
    Hostile("lines of JSON", "\n\n".join(map(json.dumps, OBJECTS)).encode(), rows=ROWS),
    Hostile(
        "lines of JSON, one of them broken",
        "\n".join([json.dumps(OBJECTS[0]), '{"Order ID": "3",', json.dumps(OBJECTS[1])]).encode(),
        rows=ROWS,
        reasons={"malformed_json": 1},
    ),
    Hostile(
        "JSON with an exponent beyond all numbers",
        json.dumps(OBJECTS).replace('": 3,', '": 3e99999999999999999999,').encode(),
        rows=(ROW,),
        reasons={"unit_price_invalid": 1},
    ),
)

LIMITS = (
    Hostile(
        "a field over a megabyte",
        text(f"{HEADER}{TWO}3,P1,2024-01-31,2,10.50,0.1,{'x' * 1_100_000}\n"),
        rows=ROWS,
        reasons={"row_too_long": 1},
    ),
    Hostile(
        "a row with 10,000 fields",
        text(f"{HEADER}{TWO}3,P1,2024-01-31,2,10.50,0.1,Asia{',' * 9_993}\n"),
        rows=ROWS,
        reasons={"too_many_fields": 1},
    ),
    Hostile(
        "more than 10,000 columns",
        text(HEADER.rstrip() + "".join(f",c{number}" for number in range(10_000)) + "\n"),
        refused="the file has 10,007 columns; at most 10,000 can be read",
    ),
    Hostile(
        "a preamble of more than fifty lines",
        text("x\n" * 51 + HEADER + TWO),
        refused="required columns are missing: Order ID,",
    ),
    Hostile(
        "an order id of 201 letters",
        text(f"{HEADER}{TWO}{'3' * 201},P1,2024-01-31,2,10.50,0.1,Asia\n"),
        rows=ROWS,
        reasons={"order_id_too_long": 1},
    ),
    Hostile("nothing but blanks", b" \r\n\t\r\n", refused="the file is empty"),
    Hostile(
        "nothing but broken rows",
        text(f"{HEADER}1,P1,soon,2,10.50,0.1,Asia\n"),
        refused="none of the 1 rows meets the contract (sale_date_invalid 1)",
    ),
    Hostile(
        "more than a tenth of the rows broken",
        text(HEADER + TWO + "".join(f"{order},P1,soon,2,10.50,0.1,Asia\n" for order in range(21))),
        refused="21 of 23 rows break the contract, more than the 10 % that a file may have",
    ),
)

ODD = (
    Hostile(
        "Latin-1, declared",
        text(HEADER + "1,P1,2024-01-31,2,10.50,0.1,Köln\n", "latin-1"),
        {"encoding": "latin-1"},
        rows=(line("Köln"),),
    ),
    Hostile(
        "Latin-9 with a euro sign, declared",
        text(HEADER + "1,P1,2024-01-31,2,10.50,0.1,€\n", "iso8859-15"),
        {"encoding": "iso8859-15"},
        rows=(line("€"),),
    ),
    Hostile(
        "UTF-16 that lacks a byte",
        text(HEADER + TWO, "utf-16")[:200] + text(HEADER + TWO, "utf-16")[201:],
        refused="the UTF-16 text is damaged: a byte is missing or too many",
    ),
    Hostile(
        "CR alone, and line feeds within quotes",
        text(HEADER.replace("\n", "\r") + '1,P1,2024-01-31,2,10.50,0.1,"North\nAmerica"\r'),
        rows=(line("North\nAmerica"),),
    ),
    Hostile("CRLF and LF in one file", text(MIXED), rows=ROWS),
    Hostile(
        "a carriage return within a field",
        text(f"{HEADER}{TWO}3,P\r1,2024-01-31,2,10.50,0.1,Asia\n"),
        rows=ROWS,
        reasons={"stray_carriage_return": 1},
    ),
    Hostile(
        "a NUL character",
        text(f"{HEADER}{TWO}3,P\x001,2024-01-31,2,10.50,0.1,Asia\n"),
        rows=ROWS,
        reasons={"nul_character": 1},
    ),
    Hostile(
        "a quote that is never closed",
        text(
            f'{HEADER}1,P1,2024-01-31,2,10.50,0.1,Asia\n3,"P1,2024-01-31,2,10.50,0.1,Asia\n{TWO[TWO.index("2,P2") :]}'
        ),
        rows=ROWS,
        reasons={"unclosed_quote": 1},
    ),
    Hostile("rows of delimiters alone", ROWS_OF_COMMAS, rows=ROWS, reasons={"order_id_missing": 2}),
    Hostile("a line of blanks", text(f"{HEADER}{TWO}   \n"), rows=ROWS, reasons={"too_few_fields": 1}),
    Hostile("a quote in the preamble", text(f'"Sales\nThe "best" shop\n{HEADER}{TWO}'), rows=ROWS),
    Hostile("a line within a column's name", text(HEADER.replace("Region", '"Re\ngion"') + TWO), rows=ROWS),
    Hostile("equal rows", text(HEADER + TWO + TWO), rows=ROWS, reasons={"duplicate_row": 2}),
    Hostile(
        "equal rows that are meant", text(HEADER + TWO + TWO), {"duplicate_rows": "keep"}, rows=ROWS + ROWS
    ),
    Hostile(
        "Swiss numbers, with either apostrophe",
        text(HEADER + "1,P1,2024-01-31,2,1'000.50,0.1,Asia\n2,P1,2024-01-31,2,1’000.50,0.1,Asia\n"),
        {"thousands_mark": "'"},
        rows=tuple((order, "P1", "2024-01-31", 2, "1000.50", "0.1", "Asia") for order in ("1", "2")),
    ),
    Hostile(
        "decimal commas, and nobody said so",
        text(HEADER.replace(",", ";") + "1;P1;2024-01-31;2;10,50;0,1;Asia\n"),
        refused="none of the 1 rows meets the contract (unit_price_invalid 1)",
    ),
    Hostile("a format of the source's own", text(at("31-Jan-24")), {"date_format": "%d-%b-%y"}, rows=(ROW,)),
    Hostile(
        "the time of day of an American till",
        text(at("1/31/2024 11:59 PM")),
        {"date_format": "%m/%d/%Y %I:%M %p"},
        rows=(ROW,),
    ),
    Hostile(
        "years of two digits",
        text(at("31.01.24")),
        rows=(on("2024-01-31"),),
        note="dates read as %d.%m.%y, the only format that fits every row",
    ),
    Hostile(
        "days of a spreadsheet's own count",
        text(at("45322")),
        refused="none of the 1 rows meets the contract (sale_date_invalid 1)",
    ),
    Hostile(
        "German all over",
        text(
            "Bestellnr;Artikel;Datum;Menge;Preis;Rabatt;Land\r\n1;P1;31.01.2024;2;10,50;10 %;Österreich\r\n",
            "cp1252",
        ),
        {"columns": GERMAN_COLUMNS, "encoding": "cp1252", "decimal_mark": ",", "discount": "percent"},
        rows=(line("Österreich"),),
        note="dates read as %d.%m.%Y, the only format that fits every row",
    ),
)

MORE = (*PACKED, *FORMATS, *LIMITS, *ODD)
