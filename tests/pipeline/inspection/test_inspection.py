"""An inspection's entry, pasted into sources.toml, makes the file load; what is uncertain is said to be."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from pipeline.inspection import Problem
from pipeline.landing import LandingError
from pipeline.sources import SourceSettings, read_sources
from tests.pipeline.inspection.proposing import Line, inspected, read_by_entry
from tests.pipeline.landing.files import SAMPLE, bytes_file, csv_file

GERMAN = ("Bestell-Nr.", "Artikelnummer", "Bestelldatum", "Menge", "Einzelpreis", "Rabatt", "Land")
GERMAN_ROWS = (
    ("1001", "A-1", "31.01.2024", "2", "1.210,50", "10%", "Österreich"),
    ("1002", "A-2", "03.02.2024", "-1", "3,00", "0", "Deutschland"),
)
GERMAN_LINES: list[Line] = [
    ("1001", "A-1", date(2024, 1, 31), 2, Decimal("1210.50"), Decimal("0.10"), "Österreich"),
    ("1002", "A-2", date(2024, 2, 3), -1, Decimal("3.00"), Decimal(0), "Deutschland"),
]


def german_text(delimiter: str = ";") -> str:
    return "".join(delimiter.join(row) + "\n" for row in (GERMAN, *GERMAN_ROWS))


def as_text(folder: Path) -> Path:
    return bytes_file(folder, german_text().encode("cp1252"))


def as_text_below_a_title(folder: Path) -> Path:
    return bytes_file(folder, f"Umsätze\n\nDatum: 2024; Filiale: Land\n{german_text()}".encode())


def as_utf_16_with_tabs(folder: Path) -> Path:
    return bytes_file(folder, german_text("\t").encode("utf-16"))


def packed(folder: Path) -> Path:
    return bytes_file(folder, gzip.compress(german_text().encode()), name="sales.csv.gz")


def as_json(folder: Path) -> Path:
    rows = [dict(zip(GERMAN, row, strict=True)) for row in GERMAN_ROWS]
    return bytes_file(folder, json.dumps({"orders": rows}).encode(), name="sales.json")


def as_json_lines(folder: Path) -> Path:
    rows = [json.dumps(dict(zip(GERMAN, row, strict=True))) for row in GERMAN_ROWS]
    return bytes_file(folder, "\n".join(rows).encode(), name="sales.ndjson")


def as_parquet(folder: Path) -> Path:
    pl.DataFrame(list(GERMAN_ROWS), schema=list(GERMAN), orient="row").write_parquet(folder / "sales.parquet")
    return folder / "sales.parquet"


def as_workbook(folder: Path) -> Path:
    with xlsxwriter.Workbook(folder / "sales.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Umsätze im Januar"])
        for at, row in enumerate((GERMAN, *GERMAN_ROWS), start=2):
            sheet.write_row(at, 0, row)
    return folder / "sales.xlsx"


@pytest.mark.parametrize(
    "write",
    [
        as_text,
        as_text_below_a_title,
        as_utf_16_with_tabs,
        packed,
        as_json,
        as_json_lines,
        as_parquet,
        as_workbook,
    ],
    ids=lambda write: write.__name__,
)
def test_the_proposed_entry_makes_a_german_export_load(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path)
    found = inspected(path)
    assert found.refusal is None
    assert (found.rows_read, found.rows_accepted) == (2, 2)
    assert [reading.column for reading in found.headers] == [
        "order_id", "product_id", "sale_date", "quantity", "unit_price", "discount", "region",
    ]  # fmt: skip
    assert {reading.confidence for reading in found.headers} == {"likely"}
    assert read_by_entry(path, found) == GERMAN_LINES
    first = found.first_rows[0]
    assert (first["order_id"], first["sale_date"], first["unit_price"]) == (
        "1001", date(2024, 1, 31), "1210.50",
    )  # fmt: skip


def test_it_tells_what_the_file_is(tmp_path: Path) -> None:
    found = inspected(as_text_below_a_title(tmp_path))
    assert (found.kind, found.packing, found.encoding, found.delimiter) == ("CSV", None, "utf-8", ";")
    assert found.header_line == 4
    assert inspected(packed(tmp_path)).packing == "gzip"
    assert inspected(as_workbook(tmp_path)).header_line == 3


def test_a_file_of_the_usual_names_needs_no_entry() -> None:
    found = inspected(SAMPLE)
    assert (found.sources_toml, found.doubts, found.rows_accepted) == ("", (), 6)
    assert {reading.confidence for reading in found.headers} == {"certain"}


def test_a_guessed_encoding_is_marked_in_the_entry(tmp_path: Path) -> None:
    found = inspected(as_text(tmp_path))
    assert (found.encoding, found.encoding_is_guessed) == ("cp1252", True)
    assert 'encoding = "cp1252"  # uncertain: it is what the letters look like\n' in found.sources_toml


def test_dates_that_can_be_read_in_two_ways_are_shown_in_both_and_neither_is_taken(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1,P,03/04/2024,1,2.50", "2,P,05/04/2024,1,1.00")
    found = inspected(path)
    assert found.date_format is None
    assert (found.refusal or "").startswith("the dates can be read in several ways")
    assert found.first_rows == ()
    (doubt,) = found.doubts
    assert doubt.choices == (
        (
            'date_format = "%d/%m/%Y"',
            "%d/%m/%Y reads '03/04/2024' as 2024-04-03, '05/04/2024' as 2024-04-05",
        ),
        (
            'date_format = "%m/%d/%Y"',
            "%m/%d/%Y reads '03/04/2024' as 2024-03-04, '05/04/2024' as 2024-05-04",
        ),
    )
    months_first = found.sources_toml.replace('# date_format = "%m', 'date_format = "%m')
    lines = read_by_entry(path, found, toml=months_first)
    assert [line[2] for line in lines] == [date(2024, 3, 4), date(2024, 5, 4)]


def test_dates_that_several_formats_read_alike_are_read_and_marked(tmp_path: Path) -> None:
    found = inspected(csv_file(tmp_path, "1,P,03/03/2024,1,2.50"))
    assert (found.date_format, found.first_rows[0]["sale_date"]) == ("%d/%m/%Y", date(2024, 3, 3))
    remark = "dates read as %d/%m/%Y; %m/%d/%Y would read every row the same"
    assert f'date_format = "%d/%m/%Y"  # uncertain: {remark}\n' in found.sources_toml


def test_dates_that_no_format_fits_are_a_doubt_and_the_rest_is_shown(tmp_path: Path) -> None:
    found = inspected(csv_file(tmp_path, "1,P,31.01.2024,1,2", "2,P,01.31.2024,1,2", "3,P,30.01.2024,1,2"))
    assert (found.refusal or "").startswith("no date format fits every row: '01.31.2024'")
    assert [doubt.setting for doubt in found.doubts] == ["date_format"]
    assert [reading.column for reading in found.headers][:2] == ["order_id", "product_id"]


def test_a_declared_column_that_is_not_there_is_missing(tmp_path: Path) -> None:
    found = inspected(csv_file(tmp_path, "1,P,2024-01-31,1,2"), columns={"customer_id": "Kunde"})
    assert found.missing == ("customer_id",)
    assert (found.refusal or "").startswith("required column is missing: Kunde.")


def test_the_date_format_is_that_of_every_row(tmp_path: Path) -> None:
    early = [f"{order},P,03/04/2024,1,1.00" for order in range(5000)]
    found = inspected(csv_file(tmp_path, *early, "5000,P,04/30/2024,1,1.00"))
    assert found.date_format == "%m/%d/%Y"
    assert found.rows_accepted == 5001


def test_a_missing_column_is_named_and_left_to_be_filled_in(tmp_path: Path) -> None:
    header = "Order ID,SKU,Date,Gross Sales,Qty"
    path = csv_file(tmp_path, "1,P,2024-01-31,2.00,1", header=header)
    found = inspected(path)
    assert found.missing == ("unit_price",)
    assert found.first_rows == ()
    assert (found.refusal or "").startswith("required column is missing: Unit Price.")
    assert '# columns.unit_price = "…"  # missing: the header of Unit Price' in found.sources_toml
    assert [reading.column for reading in found.headers] == [
        "order_id", "product_id", "sale_date", None, "quantity",
    ]  # fmt: skip
    assert found.headers[3].examples == ("2.00",)


def test_problems_are_counted_by_rule_with_their_first_lines(tmp_path: Path) -> None:
    bad = [f"{order},,2024-01-31,x,1" for order in range(6)]
    found = inspected(csv_file(tmp_path, "a,P,2024-01-31,1,1", *bad))
    assert found.problems == (
        Problem("product_id_missing", 6, (3, 4, 5, 6, 7)),
        Problem("quantity_not_integer", 6, (3, 4, 5, 6, 7)),
    )
    assert (found.rows_read, found.rows_accepted, found.rows_quarantined) == (7, 1, 6)


def test_what_is_known_of_the_source_is_kept_and_added_to(tmp_path: Path) -> None:
    header = "Nummer,SKU,Date,Qty,Price"
    path = csv_file(tmp_path, "1,P,2024-01-31,1,2", header=header)
    known = {
        "mode": "overwrite",
        "columns": {"order_id": "Nummer"},
        "constants": {"region": "Online"},
        "quarantine_limit": 0.5,
    }
    found = inspected(path, 'Köln "Süd"', **known)
    settings = read_sources(_written(tmp_path, found.sources_toml))['Köln "Süd"']
    assert settings == SourceSettings(
        **{
            **known,
            "columns": {
                "order_id": "Nummer",
                "product_id": "SKU",
                "sale_date": "Date",
                "quantity": "Qty",
                "unit_price": "Price",
            },
        }
    )
    assert found.headers[0].confidence == "certain"


def test_quotes_escaped_with_a_backslash_are_found_out(tmp_path: Path) -> None:
    path = csv_file(tmp_path, r'1,P,2024-01-31,1,2,"a \"b\", c"', header="Order ID,SKU,Date,Qty,Price,Note")
    found = inspected(path)
    assert found.settings.escape == "\\"
    assert [line[:2] for line in read_by_entry(path, found)] == [("1", "P")]


def test_headers_with_quotes_and_backslashes_come_back_from_the_entry(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, "1,P,2024-01-31,1,2", header='Order ID,Product ID,"W""ann\\",Quantity Sold,Unit Price'
    )
    found = inspected(path)
    assert (found.headers[2].column, found.headers[2].confidence) == ("sale_date", "uncertain")
    assert read_by_entry(path, found)[0][2] == date(2024, 1, 31)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "sales.csv: the file is empty"),
        (b"%PDF-1.7", "sales.csv: the file is no CSV text: it looks like a PDF"),
        (b"PK\x03\x04broken", "sales.csv: the zip archive is damaged"),
    ],
)
def test_what_is_no_table_is_an_error_that_says_so(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(LandingError, match=message):
        inspected(bytes_file(tmp_path, data))


def _written(folder: Path, toml: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(toml, encoding="utf-8")
    return path
