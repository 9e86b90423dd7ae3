"""Cursors that nobody was given: refused, whatever they say."""

import base64
import json
from typing import Any

import pytest

from tests.api.conftest import StrictClient
from tests.api.published import Line

LAST = 2**53 - 1


def forged(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def mark_of(client: StrictClient, path: str) -> tuple[int, str]:
    """The build and the question that a true cursor of the list carries."""
    answer = client.get(f"{path}?limit=1").json
    assert answer is not None
    cursor = answer["page"]["next_cursor"]
    build_id, mark, *_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return build_id, mark


@pytest.mark.parametrize(
    "last",
    [
        ("soon", "default", "1", "P1", 1),
        ("2024-02-30", "default", "1", "P1", 1),
        ("2024-01-01", "default\0", "1", "P1", 1),
        ("2024-01-01", "default", 1, "P1", 1),
        ("2024-01-01", "default", "1", "P1", 10**30),
        ("2024-01-01", "default", "1", "P1", -1),
        ("2024-01-01", "default", "1", "P1", 1.5),
        ("2024-01-01", "default", "1", "P1", True),
        ("2024-01-01", "default", "1", "P1"),
        (None, None, None, None, None),
    ],
)
def test_forged_places_in_the_lines_are_refused(
    client: StrictClient, many_lines: list[Line], last: tuple[Any, ...]
) -> None:
    build_id, mark = mark_of(client, "/api/v1/orders")
    refused = client.get(f"/api/v1/orders?cursor={forged(build_id, mark, *last)}")
    assert (refused.status_code, refused.json and refused.json["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("path", ["/api/v1/products", "/api/v1/customers", "/api/v1/revenue/by-product"])
@pytest.mark.parametrize("offset", [-1, 10**30, 2**63, "1", 1.5, None])
def test_forged_places_in_a_list_are_refused(
    client: StrictClient, many_lines: list[Line], path: str, offset: Any
) -> None:
    build_id, mark = mark_of(client, path)
    refused = client.get(f"{path}?cursor={forged(build_id, mark, offset)}")
    assert (refused.status_code, refused.json and refused.json["code"]) == (400, "invalid_cursor")
    beyond = client.get(f"{path}?cursor={forged(build_id, mark, LAST)}").json
    assert beyond is not None
    assert beyond["data"] == []


@pytest.mark.parametrize("path", ["/api/v1/batches", "/api/v1/builds"])
@pytest.mark.parametrize("key", [-1, 10**30, 2**63, "1", 1.5, None, [1]])
def test_forged_keys_are_refused(client: StrictClient, golden: int, path: str, key: Any) -> None:
    refused = client.get(f"{path}?cursor={forged(key)}")
    assert (refused.status_code, refused.json and refused.json["code"]) == (400, "invalid_cursor")
    assert client.get(f"{path}?cursor={forged(LAST)}").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/refreshes", "/api/v1/imports", "/api/v1/exports"])
@pytest.mark.parametrize(
    "key",
    [
        ("soon", "00000000-0000-0000-0000-000000000000"),
        ("2024-01-01T00:00:00Z", "0"),
        ("2024-01-01T00:00:00Z\0", "00000000-0000-0000-0000-000000000000"),
        (1, 2),
        (),
    ],
)
def test_forged_places_among_the_jobs_are_refused(client: StrictClient, path: str, key: Any) -> None:
    refused = client.get(f"{path}?cursor={forged(*key)}")
    assert (refused.status_code, refused.json and refused.json["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("text", ["[" * 900, '{"a": 1}', "null", "1e400", '["\\ud800"]', ""])
def test_what_is_no_cursor_is_refused(client: StrictClient, golden: int, text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode() or "!"
    for path in ("/api/v1/orders", "/api/v1/builds", "/api/v1/products"):
        refused = client.get(f"{path}?cursor={cursor[:1000]}")
        assert (refused.status_code, refused.json and refused.json["code"]) == (400, "invalid_cursor")
