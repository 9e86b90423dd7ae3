"""CSV, Parquet and Arrow: complete, exact, typed, and harmless in a spreadsheet."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.resources.orders import LineRow
from pipeline.answers.exporting import columns_of, csv_pieces, written
from pipeline.answers.lines import LinesQuestion
from pipeline.answers.lines import lines as lines_of
from pipeline.answers.snapshots import read_only_snapshot
from pipeline.answers.streaming import Streamed
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.published import Line, random_lines
from tests.conftest import Warehouse

LISTS = (
    "/api/v1/revenue?group_by=product,region&grain=month",
    "/api/v1/revenue?group_by=customer&compare=previous_year",
    "/api/v1/products/top?within=category",
    "/api/v1/products/margins",
    "/api/v1/products",
    "/api/v1/customers",
    "/api/v1/customers/summary?group_by=region",
    "/api/v1/orders",
    "/api/v1/revenue/anomalies?every_day=true",
)


def pages(client: StrictClient, address: str) -> list[dict[str, Any]]:
    rows, cursor = [], ""
    while True:
        mark = "&" if "?" in address else "?"
        size = "" if "/top" in address or "/summary" in address else f"{mark}limit=97{cursor}"
        answer = client.get(f"{address}{size}").json
        assert answer is not None
        rows.extend(answer["data"])
        if not answer.get("page", {}).get("has_more"):
            return rows
        cursor = f"&cursor={answer['page']['next_cursor']}"


def flat(row: dict[str, Any], above: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            made |= flat(value, f"{above}{name}_")
        else:
            made[f"{above}{name}"] = value
    return made


def table(client: StrictClient, address: str, format: str) -> pa.Table:
    response = client.get(f"{address}{'&' if '?' in address else '?'}format={format}")
    assert response.status_code == 200
    if format == "parquet":
        return pq.read_table(io.BytesIO(response.data))
    return pa.ipc.open_stream(response.data).read_all()


def plain(value: Any) -> Any:
    """A value of Arrow's as JSON has it; numbers as exact decimals."""
    if isinstance(value, date):
        return value.isoformat()
    return value


def number(value: Any) -> Any:
    try:
        return Decimal(value)
    except (ArithmeticError, TypeError, ValueError):
        return value


@pytest.mark.parametrize("address", LISTS)
def test_every_format_has_every_row_of_every_page(
    client: StrictClient, many_lines: list[Line], address: str
) -> None:
    expected = [flat(row) for row in pages(client, address)]
    assert expected
    text = client.get(f"{address}{'&' if '?' in address else '?'}format=csv").get_data(as_text=True)
    as_csv = [
        {name: cell or None for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))
    ]  # fmt: skip
    written = [
        {
            name: None if value in (None, "") else " ".join(value) if isinstance(value, list) else str(value)
            for name, value in row.items()
        }
        for row in expected
    ]
    assert [{n: (v or "").lower() for n, v in row.items()} for row in as_csv] == [
        {n: (v or "").lower() for n, v in row.items()} for row in written
    ]
    for format in ("parquet", "arrow"):
        found = table(client, address, format).to_pylist()
        assert [{name: number(plain(value)) for name, value in row.items()} for row in found] == [
            {name: number(value) for name, value in row.items()} for row in expected
        ]


def test_money_is_an_exact_decimal_in_arrow_and_parquet(client: StrictClient, golden: int) -> None:
    for format in ("parquet", "arrow"):
        found = table(client, "/api/v1/revenue/by-region", format)
        assert found.schema.field("net_revenue").type == pa.decimal128(38, 12)
        assert found.schema.field("share_of_total").type == pa.decimal128(38, 6)
        assert found.schema.field("orders").type == pa.int64()
        assert sum(found["net_revenue"].to_pylist()) == Decimal("4712.5675")
        meta = json.loads(found.schema.metadata[b"tillhouse"])
        assert (meta["build_id"], meta["range"]["end_date"]) == (golden, "2024-05-18")


def test_a_file_without_rows_has_its_columns(client: StrictClient, golden: int) -> None:
    empty = "/api/v1/revenue/by-region?start_date=2030-01-01"
    assert client.get(f"{empty}&format=csv").get_data(as_text=True).startswith("region,gross_revenue,")
    for format in ("parquet", "arrow"):
        assert table(client, empty, format).num_rows == 0


def test_the_format_follows_the_accept_header(client: StrictClient, golden: int) -> None:
    for accept, expected in (
        ("text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("*/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
    ):
        response = client.get("/api/v1/revenue/by-region", headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (200, expected), accept
    refused = client.get("/api/v1/revenue/by-region", headers={"Accept": "image/png"})
    assert (refused.status_code, refused.json and refused.json["code"]) == (406, "not_acceptable")
    assert client.get("/api/v1/revenue/by-region?format=xlsx").status_code == 400


@pytest.mark.parametrize("parameter", ["limit=5", "cursor=abc", "explain=true"])
def test_what_belongs_to_pages_is_refused_for_files(
    client: StrictClient, golden: int, parameter: str
) -> None:
    refused = client.get(f"/api/v1/revenue/by-region?format=csv&{parameter}")
    assert (refused.status_code, refused.json and refused.json["code"]) == (422, "invalid_value")


def test_text_that_a_spreadsheet_would_run_is_made_harmless(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", 'plain, "quoted"\nname']
    publish_lines(
        [
            Line(f"{n}", f"P{n}", date(2024, 1, 1), -1, Decimal(5), product_name=name, category=name)
            for n, name in enumerate(names)
        ]
    )
    text = client.get("/api/v1/revenue/by-product?format=csv&sort=product").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["product_name"] for row in rows] == [f"'{name}" for name in names[:-1]] + [names[-1]]
    # Numbers are numbers: a minus sign is no formula.
    assert {row["net_revenue"] for row in rows} == {"-5.00"}
    lines = client.get("/api/v1/orders?format=csv").get_data(as_text=True)
    assert {row["category"] for row in csv.DictReader(io.StringIO(lines, newline=""))} == {
        *(f"'{name}" for name in names[:-1]), names[-1],
    }  # fmt: skip


def test_an_answer_of_too_many_rows_is_not_streamed_and_never_cut(
    make_client: Callable[..., StrictClient], many_lines: list[Line]
) -> None:
    exact = make_client(export_limit_rows=len(many_lines))
    assert exact.get("/api/v1/orders?format=csv").get_data().count(b"\r\n") == len(many_lines) + 1
    refused = make_client(export_limit_rows=len(many_lines) - 1).get("/api/v1/orders?format=csv")
    assert (refused.status_code, refused.json and refused.json["code"]) == (422, "export_too_large")


@pytest.mark.parametrize("address", [*LISTS, "/api/v1/customers/lifetime-value"])
def test_no_list_is_streamed_beyond_the_limit(
    make_client: Callable[..., StrictClient], many_lines: list[Line], address: str
) -> None:
    mark = "&" if "?" in address else "?"
    rows = make_client().get(f"{address}{mark}format=arrow").data
    count = pa.ipc.open_stream(rows).read_all().num_rows
    exact = make_client(export_limit_rows=count).get(f"{address}{mark}format=csv")
    assert exact.status_code == 200
    refused = make_client(export_limit_rows=count - 1).get(f"{address}{mark}format=csv")
    assert (refused.status_code, refused.json and refused.json["code"]) == (422, "export_too_large")


def test_a_file_is_of_one_build_while_another_is_published(
    client: StrictClient, many_lines: list[Line], publish_lines: Callable[[list[Line]], int]
) -> None:
    response = client.get("/api/v1/orders?format=csv", buffered=False)
    pieces = response.iter_encoded()
    first = next(pieces)
    publish_lines(many_lines[:3])
    rows = b"".join([first, *pieces]).count(b"\r\n") - 1
    assert rows == len(many_lines)
    assert client.get("/api/v1/orders?format=csv").get_data().count(b"\r\n") - 1 == 3


def test_connections_come_back_from_files_that_nobody_reads(client: StrictClient, golden: int) -> None:
    for _ in range(20):
        response = client.get("/api/v1/orders?format=csv", buffered=False)
        response.close()
    assert client.get("/api/v1/revenue/total").status_code == 200


def test_a_file_of_lines_made_by_postgres_has_the_bytes_of_one_written_row_by_row(
    warehouse: Warehouse, publish_lines: Callable[[list[Line]], int]
) -> None:
    hard = ["=1+1", "＠home", "-5", 'two "words"', "a,b", "line\nbreak", "line\r\nbreak", " blank ", "\\."]
    lines = [
        replace(line, order_id=f"O{number}", product_name=text, customer_name=text, region=text)
        for number, (line, text) in enumerate(zip(random_lines(Random(3), 20), hard, strict=False))
    ]
    publish_lines(lines)
    columns = columns_of(LineRow)
    for shows_origin, currency in ((True, "USD"), (False, "JPY"), (True, "KWD")):
        question = LinesQuestion(shows_origin=shows_origin)
        with connect(warehouse.urls.reader) as connection:
            read_only_snapshot(connection)
            found = lines_of(connection, question, currency=currency, time_zone="UTC").rows
            assert isinstance(found, Streamed)
            by_postgres = b"".join(written("csv", columns, found, b""))
            again = lines_of(connection, question, currency=currency, time_zone="UTC").rows
            assert by_postgres == b"".join(csv_pieces(columns, again))
        assert by_postgres.count(b"\r\n") > len(hard)
