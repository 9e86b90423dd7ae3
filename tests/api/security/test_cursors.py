"""Cursors that were tampered with: refused as such, whatever they carry."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.published import Line
from tests.api.security.conftest import Jobs
from tests.api.security.regional import lines_of_regions
from tests.api.security.state import Watch
from tests.conftest import Warehouse

MakeService = Callable[..., StrictClient]

LISTS = (
    "/api/v1/orders?limit=2",
    "/api/v1/revenue?group_by=product,region&limit=2",
    "/api/v1/revenue/by-product?limit=2",
    "/api/v1/revenue/trend?grain=day&limit=2",
    "/api/v1/products?limit=2",
    "/api/v1/products/margins?limit=2",
    "/api/v1/customers?limit=2",
    "/api/v1/customers/segments?members=true&limit=2",
    "/api/v1/customers/cohorts?limit=2",
    "/api/v1/customers/lifetime-value?limit=2",
    "/api/v1/revenue/anomalies?every_day=true&limit=2",
    "/api/v1/builds?limit=1",
    "/api/v1/batches?limit=1",
    "/api/v1/refreshes?limit=1",
    "/api/v1/exports?limit=1",
    "/api/v1/imports?limit=1",
)
NUMBERS = (0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, True, None, 1.5, "1")
WORDS = (
    "", "'; drop table app.jobs; --", "nonsense", "infinity", "0001-01-01", "9999-12-31T23:59:59-14:00",
    "24:00",
    "\0", "\ud800", "x" * 700, 1, None, ["a"],
)  # fmt: skip
RAW = (
    b"", b"null", b"1", b"{}", b"[]", b'"x"', b"[[]]", b"[NaN]", b"[1e400]", b'["\\ud800"]', b"[" * 700,
    b"[" * 300 + b"]" * 300, b"[1]x", b"\xff\xfe", b"\x80\x04K\x01.", b"[1" + b"0" * 600 + b"]",
)  # fmt: skip


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(cursor: str) -> list[Any]:
    values: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return values


def tampered(values: list[Any]) -> Iterator[list[Any]]:
    for place, value in enumerate(values):
        for other in NUMBERS if isinstance(value, int) else WORDS:
            yield [*values[:place], other, *values[place + 1 :]]
    yield values[:-1]
    yield [*values, 1]
    yield list(reversed(values))


@pytest.fixture
def pages(warehouse: Warehouse, publish_lines: Callable[[list[Line]], int], accounts: Accounts) -> None:
    """Every list has more than a page."""
    lines = lines_of_regions()
    publish_lines(lines)
    publish_lines(lines)
    random = Random(1)
    with connect(warehouse.urls.owner) as connection:
        for kind in ("refresh", "import", "export"):
            for _ in range(2):
                request = {
                    "mode": "append", "full": False, "sources": None, "source": "default",
                    "duplicate_rows": "keep",
                    "force": False, "files": [], "path": "/api/v1/orders", "query": {}, "format": "csv",
                    "caller": {"name": "root", "scopes": [], "regions": None},
                }  # fmt: skip
                moment = datetime(2024, 1, random.randrange(1, 28), tzinfo=UTC)
                connection.execute(
                    "insert into app.jobs (job_id, kind, status, requested_by, request, requested_at)"
                    " values (%s, %s, 'canceled', 'api', %s::jsonb, %s)",
                    (uuid4(), kind, json.dumps(request), moment),
                )
        connection.execute(
            "insert into raw.batches (batch_id, call_id, feed, source, mode, status, file_name, requested_by)"
            " overriding system value"
            " select n, n, 'order_lines', 'default', 'append', 'landed', 'a.csv', 'test'"
            " from generate_series(1, 2) n"
        )


def ask(client: FlaskClient, headers: dict[str, str], path: str, cursor: str) -> tuple[int, str | None]:
    mark = "&" if "?" in path else "?"
    response = client.get(f"{path}{mark}cursor={cursor}", headers=headers)
    return response.status_code, response.json[
        "code"
    ] if response.status_code >= 400 and response.json else None


@pytest.mark.usefixtures("pages")
def test_a_cursor_that_was_tampered_with_is_refused_or_a_place_in_the_list(
    service: MakeService, accounts: Accounts, watch: Watch
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    before = watch.state()
    wrong = []
    for path in LISTS:
        page = client.get(path, headers=headers).json
        assert page is not None
        values = decoded(page["page"]["next_cursor"])
        for other in tampered(values):
            found = ask(client, headers, path, encoded(json.dumps(other).encode()))
            if found not in (
                (200, None),
                (400, "invalid_cursor"),
                (409, "stale_cursor"),
                (422, "invalid_value"),
            ):
                wrong.append((path, found, str(other)[:100]))
        for text in (*map(encoded, RAW), "=", "====", "a", "%00", "%0a", "%ff", "..%2f..", "\u0661"):
            found = ask(client, headers, path, text)
            if found not in ((400, "invalid_cursor"), (422, "invalid_value")):
                wrong.append((path, found, text[:100]))
    assert wrong == []
    assert watch.state() == before


def test_a_cursor_of_rejected_rows_or_of_a_log_is_no_other(
    service: MakeService, make_jobs: Callable[[FlaskClient, str], Jobs], accounts: Accounts
) -> None:
    client = service()
    accounts.add("root", "admin")
    jobs, headers = make_jobs(client, "root"), accounts.token("root")
    for other in tampered([1, 1]):
        found = ask(
            client, headers, f"/api/v1/imports/{jobs.import_id}/rejects", encoded(json.dumps(other).encode())
        )
        assert found in ((200, None), (400, "invalid_cursor")), other
    odd: tuple[Any, ...] = ([1], ["0", "1"], [None], [["0"]], {})
    for other in odd:
        found = ask(
            client, headers, f"/api/v1/refreshes/{jobs.refresh_id}/logs", encoded(json.dumps(other).encode())
        )
        assert found == (400, "invalid_cursor"), other
