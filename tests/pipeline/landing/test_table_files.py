"""Spreadsheets, Parquet and JSON: the same rows as CSV gives."""

import gzip
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet as parquet_writer

from pipeline.landing import LandingRequest, check
from pipeline.landing.chunks import Damage
from pipeline.landing.parquet_file import column_text
from pipeline.sources import SourceSettings
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, one
from tests.pipeline.landing.files import HEADER, SAMPLE, bytes_file, fields_of, refusal_of, rows_of

HEADERS = tuple(HEADER.split(","))
ROW = {"order_id": 1, "product_id": "P1", "sale_date": "2024-01-01", "quantity": 1, "unit_price": 1}


def sample_rows() -> tuple[list[str], list[list[Any]]]:
    """The sample's headers, and its values as another program would hold them."""
    headers, *lines = (line.split(",") for line in SAMPLE.read_text().splitlines())
    rows: list[list[Any]] = []
    for line in lines:
        row: list[Any] = [*line[:14], ",".join(line[14:])]
        row[0], row[7] = int(row[0]), int(row[7])
        row[6] = date.fromisoformat(row[6])
        row[8:11] = map(float, row[8:11])
        rows.append(row)
    return headers, rows


def sheet(folder: Path, *rows: tuple[Any, ...], first_row: int = 0, first_column: int = 0) -> Path:
    path = folder / "1.csv"
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm"}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows, first_row):
            for column, value in enumerate(row, first_column):
                if isinstance(value, tuple):
                    page.write_formula(number, column, "=1", None, value[0])
                else:
                    page.write(number, column, value)
        book.add_worksheet("another").write(0, 0, "x")
    return path


def parquet(folder: Path, frame: pl.DataFrame, **options: Any) -> Path:
    frame.write_parquet(folder / "1.csv", **options)
    return folder / "1.csv"


def objects() -> list[dict[str, Any]]:
    headers, rows = sample_rows()
    return [dict(zip(headers, row, strict=True)) for row in rows]


def as_sheet(folder: Path) -> Path:
    headers, rows = sample_rows()
    return sheet(folder, tuple(headers), *map(tuple, rows))


def as_parquet(folder: Path) -> Path:
    return parquet(folder, pl.DataFrame(objects()))


def as_json(folder: Path) -> Path:
    return bytes_file(folder, json.dumps(objects(), default=str, indent=2).encode(), name="1.csv")


def as_json_under_a_key(folder: Path) -> Path:
    document = {"count": 6, "tags": ["a"], "data": objects(), "next": None}
    return bytes_file(folder, b"\xef\xbb\xbf" + json.dumps(document, default=str).encode(), name="1.csv")


def as_json_lines(folder: Path) -> Path:
    lines = "\n".join(json.dumps(row, default=str) for row in objects())
    return bytes_file(folder, lines.encode(), name="1.csv")


def as_packed_json_lines(folder: Path) -> Path:
    path = as_json_lines(folder)
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def as_zipped_json(folder: Path) -> Path:
    rows = objects()
    for row in rows[3:]:
        row["Unit Cost"] = None
    with zipfile.ZipFile(folder / "1.csv", "w") as archive:
        archive.writestr("b.json", json.dumps(rows[3:], default=str))
        archive.writestr("a.json", json.dumps(rows[:3], default=str))
    return folder / "1.csv"


@pytest.mark.parametrize(
    "write",
    [
        as_sheet,
        as_parquet,
        as_json,
        as_json_under_a_key,
        as_json_lines,
        as_packed_json_lines,
        as_zipped_json,
    ],
)
def test_the_six_lines_land_as_from_csv(
    warehouse: Warehouse, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    found = []
    for source, path in (("csv", SAMPLE), ("other", write(tmp_path))):
        result = one(warehouse, path, source=source)
        assert (result.status, result.message, result.rows_accepted) == ("landed", None, 6)
        found.append(
            asked(
                warehouse,
                "select occurrence, sale_date, quantity, product_key, customer_key, order_id, product_id, "
                "customer_id, region, payment_method, unit_price, discount, shipping, unit_cost, extra "
                "from raw.order_lines where batch_id = %s order by row_number",
                result.batch_id,
            )
        )
    assert found[0] == found[1]


def refused(path: Path) -> str | None:
    [result] = check(LandingRequest((path,)), lambda _: None)
    assert result.status == "refused"
    return result.message


def test_cells_are_what_excel_shows(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        ("Sales of January",),
        (),
        (*HEADERS, "Note"),
        (1, "P1", datetime.fromisoformat("2024-01-31 10:30"), (180,), (0.30000000000000004,), True),
        (),
        (1234567890123456, " P,2 ", date(2024, 2, 1), 180.0, 123456789.12, time(10, 30)),
        (2, "P3", "2024-02-02", 1e21, 1.5e-7, ("#DIV/0!",)),
        (3, "P4", "2024-02-03", ("#N/A",), ("#REF!",), "x\n"),
        first_row=2,
        first_column=1,
    )  # fmt: skip
    assert rows_of(path) == [
        (
            6, 0, ("1", "P1", "2024-01-31 10:30:00", "180", "0.3", "true"),
            "1,P1,2024-01-31 10:30:00,180,0.3,true",
        ),
        (
            8, 0, ("1234567890123456", " P,2 ", "2024-02-01", "180", "123456789.12", "10:30:00"),
            '1234567890123456," P,2 ",2024-02-01,180,123456789.12,10:30:00',
        ),
        (
            9, 0, ("2", "P3", "2024-02-02", "1000000000000000000000", "0.00000015", "#DIV/0!"),
            "2,P3,2024-02-02,1000000000000000000000,0.00000015,#DIV/0!",
        ),
        (10, 0, ("3", "P4", "2024-02-03", "#N/A", "#REF!", "x\n"), '3,P4,2024-02-03,#N/A,#REF!,"x\n"'),
    ]  # fmt: skip


def test_a_spreadsheet_without_a_table_is_refused(tmp_path: Path) -> None:
    assert refusal_of(sheet(tmp_path)) == (
        "the spreadsheet's first sheet is empty: it must have a row of column names"
    )
    assert refused(sheet(tmp_path, HEADERS)) == (
        "the file has column names but no rows: there is nothing to load"
    )
    assert refusal_of(sheet(tmp_path, ("A", "B"), (1, 2))) == (
        "required columns are missing: Order ID, Product ID, Date of Sale, Quantity Sold, Unit Price. "
        "Found in row 1 of the sheet: A, B. "
        "When they are called otherwise, say so in sources.toml"
    )
    wide = tuple(f"{number}" for number in range(9_996)) + HEADERS
    assert refusal_of(sheet(tmp_path, wide)) == "the file has 10,001 columns; at most 10,000 can be read"


def test_a_cell_far_out_does_not_take_all_memory(tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADERS)
        page.write(1_048_575, 16_383, "x")
    assert refusal_of(path) == (
        "the sheet spans 1,048,576 rows and 16,384 columns, more than 50,000,000 cells; delete what stands "
        "far below or to the right of the table, or send it as CSV"
    )


def test_a_spreadsheet_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = as_sheet(tmp_path)
    broken = tmp_path / "broken.csv"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as archive:
        for name in whole.namelist():
            data = whole.read(name)
            archive.writestr(name, data[:400] if name == "xl/worksheets/sheet1.xml" else data)
    assert "the spreadsheet is damaged" in refusal_of(broken)


def test_values_of_parquet_are_exact(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "order_id": [1, None],
            "product_id": pl.Series([b"P1", b"\xff"]),
            "sale_date": [
                datetime.fromisoformat(text) for text in ("2024-01-01 10:30", "2024-01-02 00:00:00.120")
            ],
            "quantity": [180.0, 1e21],
            "unit_price": pl.Series([Decimal("1.10"), Decimal("0.05")], dtype=pl.Decimal(18, 2)),
            "rate": pl.Series([0.1, 1.5e-7], dtype=pl.Float32),
            "day": [date(2024, 1, 1), None],
            "zoned": [datetime(2024, 1, 1, tzinfo=UTC), None],
            "open": [True, None],
            "kind": pl.Series(["a", None], dtype=pl.Categorical),
            "items": [[1, 2], None],
            "buyer": [{"name": "Zoë", "age": 3}, None],
            "note": ["a\x00", "x" * 1_100_000],
        }
    )
    path = parquet(tmp_path, frame)
    [first, second] = fields_of(path)
    assert first == (
        1, Damage.NUL_CHARACTER,
        (
            "1", "P1", "2024-01-01 10:30:00", "180", "1.10", "0.1", "2024-01-01", "2024-01-01 00:00:00+00:00",
            "true", "a", "[1,2]", '{"name":"Zoë","age":3}', None,
        ),
    )  # fmt: skip
    assert second == (2, Damage.ROW_TOO_LONG | Damage.INVALID_UTF8, (None,) * 13)
    frame = frame.drop("note", "product_id").with_columns(product_id=pl.lit("P"))
    assert fields_of(parquet(tmp_path, frame))[1] == (
        2, 0,
        (
            "", "2024-01-02 00:00:00.12", "1000000000000000000000", "0.05", "0.00000015",
            "", "", "", "", "", "", "P",
        ),
    )  # fmt: skip


def test_text_of_parquet_that_is_no_utf8_costs_its_own_row(tmp_path: Path) -> None:
    values = pa.array([b"ok", b"\xff\xfe", b"A"], pa.binary())
    # As a writer leaves it that does not look at its text.
    unchecked = pa.Array.from_buffers(pa.string(), 3, values.buffers())
    parquet_writer.write_table(
        pa.table({name: [f"{name} {row}" for row in range(3)] for name in ROW} | {"Region": unchecked}),
        tmp_path / "1.csv",
    )
    assert [(row, damage, fields[-1]) for row, damage, fields in fields_of(tmp_path / "1.csv")] == [
        (1, 0, "ok"),
        (2, Damage.INVALID_UTF8, None),
        (3, 0, "A"),
    ]


def test_dates_beyond_the_calendar_are_their_bare_numbers() -> None:
    days = pl.Series([2**31 - 1, 0, None, -(2**31)], dtype=pl.Int32).cast(pl.Date)
    assert column_text(days, SourceSettings()).to_list() == ["2147483647", "1970-01-01", None, "-2147483648"]
    times = pl.Series([2**63 - 1, 1_500], dtype=pl.Int64).cast(pl.Datetime("ms"))
    assert column_text(times, SourceSettings()).to_list() == ["9223372036854775807", "1970-01-01 00:00:01.5"]


def test_what_parquet_holds_and_nothing_can_read_refuses_the_file(tmp_path: Path) -> None:
    spans = pl.Series([[2**62]], dtype=pl.List(pl.Int64)).cast(pl.List(pl.Duration("ms")))
    frame = pl.DataFrame({name: ["1"] for name in ROW}).with_columns(spans.alias("waits"))
    assert refusal_of(parquet(tmp_path, frame)).startswith("the Parquet file is damaged after its row 0 (")


def test_row_groups_count_on(tmp_path: Path) -> None:
    frame = pl.DataFrame([ROW] * 10).with_columns(order_id=pl.int_range(10))
    rows = fields_of(parquet(tmp_path, frame, row_group_size=3))
    assert [(row[0], row[2][0]) for row in rows] == [(number + 1, str(number)) for number in range(10)]


def test_parquet_that_is_damaged_or_empty_is_refused(tmp_path: Path) -> None:
    path = as_parquet(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert refusal_of(path).startswith("the Parquet file is damaged or cut short (")
    path.write_bytes(whole[:4] + b"\xff" * 400 + whole[404:])
    assert refusal_of(path).startswith("the Parquet file is damaged after its row 0 (")
    assert refused(parquet(tmp_path, pl.DataFrame([ROW]).clear())) == (
        "the file has column names but no rows: there is nothing to load"
    )
