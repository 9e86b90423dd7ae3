"""Questions to the API, and the comparison of its answers in every format."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
from flask.testing import FlaskClient

from tests.e2e.second_computation.values import Row, as_arrow, as_csv, as_json

Format = Literal["json", "csv", "parquet", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)
Query = list[tuple[str, str]]


@dataclass(frozen=True)
class Question:
    """A request and what must be answered.

    Attributes:
        path: below ``/api/v1``.
        query: without format, limit and cursor.
        rows: the expected rows, in order, as exact values.
        meta: the part of ``meta`` that is expected.
        without: columns that are computed elsewhere.
        limit: rows of a JSON page; None for a route that has no pages.
    """

    path: str
    query: Query
    rows: Sequence[Row]
    meta: Row = field(default_factory=dict)
    without: tuple[str, ...] = ()
    limit: int | None = 500

    def __str__(self) -> str:
        return f"GET /api/v1{self.path}?{urlencode(self.query)}"


def check(client: FlaskClient, question: Question, format: Format) -> None:
    """The API's answer in this format is the expected one, to the last digit and the last row.

    Raises:
        AssertionError: it is not; shows the request and the first difference.
    """
    if format == "json":
        found, meta = _pages(client, question)
        expected = as_json(list(question.rows))
    elif format == "csv":
        text = _file(client, question, format).decode()
        found, meta = list(csv.DictReader(io.StringIO(text, newline=""))), {}
        expected = as_csv(question.rows)
    else:
        table = _table(_file(client, question, format), format)
        found, meta = table.to_pylist(), json.loads(table.schema.metadata[b"tillhouse"])
        expected = as_arrow(question.rows)
    found = [{name: row[name] for name in row if name not in question.without} for row in found]
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            different = {n: (one.get(n), other.get(n)) for n in one | other if one.get(n) != other.get(n)}
            raise AssertionError(f"{question} as {format}, row {number}: (API, reference) {different}")
    assert len(found) == len(expected), f"{question} as {format}: {len(found)} rows, not {len(expected)}"
    for name, value in as_json(question.meta).items() if meta else ():
        told = _part(meta[name], value)
        assert told == value, f"{question} as {format}: meta.{name} {told}, not {value}"


def _part(found: Any, expected: Any) -> Any:
    """The keys that are expected, of what was found."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {name: _part(found.get(name), value) for name, value in expected.items()}
    return found


def _pages(client: FlaskClient, question: Question) -> tuple[list[Row], Row]:
    rows: list[Row] = []
    cursor: Query = []
    while True:
        limit = [] if question.limit is None else [("limit", str(question.limit))]
        answer = _get(client, question, [*question.query, *limit, *cursor])
        content: Row = json.loads(answer)
        if isinstance(content["data"], dict):
            return [content["data"]], content["meta"]
        rows.extend(content["data"])
        page = content.get("page", {"has_more": False})
        if not page["has_more"]:
            return rows, content["meta"]
        assert len(content["data"]) == question.limit, f"{question}: a page is cut short"
        cursor = [("cursor", page["next_cursor"])]


def _file(client: FlaskClient, question: Question, format: Format) -> bytes:
    return _get(client, question, [*question.query, ("format", format)])


def _get(client: FlaskClient, question: Question, query: Query) -> bytes:
    response = client.get(f"/api/v1{question.path}?{urlencode(query)}")
    assert response.status_code == 200, (
        f"{question}: {response.status_code} {response.get_data(as_text=True)}"
    )
    content: bytes = response.get_data()
    response.close()
    return content


def _table(content: bytes, format: Format) -> pa.Table:
    if format == "parquet":
        return pq.read_table(io.BytesIO(content))
    return pa.ipc.open_stream(content).read_all()
