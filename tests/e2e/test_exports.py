"""Exports on a running stack: a file of more rows than are streamed, made beside the refreshes."""

import csv
import hashlib
import io
from decimal import Decimal

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.test_stack import follow, lines, total

pytestmark = pytest.mark.timeout(600)


def test_an_export_holds_every_line_and_its_sum_is_the_revenue(stack: Stack) -> None:
    loaded = stack.api.post(
        "/api/v1/imports", content=lines("E", 30_000, "1.25"), headers={"Content-Type": "text/csv"}
    )
    assert loaded.status_code == 202, loaded.text
    assert follow(stack, loaded.headers["Location"])["status"] == "succeeded"
    asked = {"path": "/api/v1/orders", "query": {"start_date": "2024-01-01"}, "format": "csv"}
    headers = {"Idempotency-Key": "the-export"}
    started = stack.api.post("/api/v1/exports", json=asked, headers=headers)
    assert started.status_code == 202, started.text
    job = follow(stack, started.headers["Location"])
    assert (job["status"], job["file"]["rows"], job["file"]["build_id"]) == ("succeeded", 30_000, 1), job
    data = stack.api.get(job["links"]["file"]).content
    assert (len(data), hashlib.sha256(data).hexdigest()) == (job["file"]["size_bytes"], job["file"]["sha256"])
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert sum(Decimal(row["net_revenue"]) for row in rows) == Decimal(total(stack)) == 37_500
    again = stack.api.post("/api/v1/exports", json=asked, headers=headers)
    assert again.json()["data"]["id"] == job["id"]
    assert stack.api.delete(job["links"]["self"]).status_code == 202
    assert stack.api.get(job["links"]["file"]).status_code == 404
    assert list((stack.home / "exports").iterdir()) == []
