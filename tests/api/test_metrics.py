"""Figures for Prometheus."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.types.json import Jsonb
from werkzeug.test import TestResponse

from api.app import close, create_app
from api.observing import count_cache
from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls, connect
from tests.api.conftest import StrictClient
from tests.conftest import Warehouse

NOWHERE = DatabaseUrls(*["postgresql://nobody@127.0.0.1:1/nothing"] * 4)
TOTAL = "/api/v1/revenue/total"

Labels = frozenset[tuple[str, str]]


def read(response: TestResponse) -> dict[tuple[str, Labels], float]:
    """Every sample of an answer, by name and labels."""
    assert response.status_code == 200
    assert response.mimetype == "text/plain"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def sample(found: dict[tuple[str, Labels], float], name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def labels_of(found: dict[tuple[str, Labels], float], name: str, label: str) -> set[str]:
    return {dict(labels)[label] for known, labels in found if known == name}


def add_batch(connection: psycopg.Connection, batch_id: int, status: str, reasons: dict[str, int]) -> None:
    connection.execute(
        """
        insert into raw.batches (
            batch_id, call_id, source, mode, status, file_name, rows_read, rows_quarantined, reasons,
            requested_by
        )
        values (%(id)s, %(id)s, 'till', 'append', %(status)s, 'x.csv', 9, %(count)s, %(reasons)s, 'cli')
        """,
        {"id": batch_id, "status": status, "count": sum(reasons.values()), "reasons": Jsonb(reasons)},
    )


def test_requests_are_counted_by_route_and_status(client: StrictClient, golden: int) -> None:
    for path in (TOTAL, f"{TOTAL}?region=Asia", f"{TOTAL}?unknown=1", f"/api/v1/builds/{golden}"):
        client.get(path)
    client.get("/one")
    client.get("/two")
    client.open("/healthz", method="BREW")
    found = read(client.get("/metrics"))
    name = "tillhouse_http_requests_total"
    assert sample(found, name, method="GET", route=TOTAL, status="200") == 2
    assert sample(found, name, method="GET", route=TOTAL, status="400") == 1
    assert sample(found, name, method="GET", route="/api/v1/builds/<int:build_id>", status="200") == 1
    assert sample(found, name, method="GET", route="(unmatched)", status="404") == 2
    assert sample(found, name, method="other", route="(unmatched)", status="405") == 1
    assert sample(found, "tillhouse_http_request_seconds_count", method="GET", route=TOTAL) == 3
    infinite = {"method": "GET", "route": TOTAL, "le": "+Inf"}
    assert sample(found, "tillhouse_http_request_seconds_bucket", **infinite) == 3


def test_the_sum_of_the_seconds_is_the_time_that_requests_took(client: StrictClient, golden: int) -> None:
    began = time.perf_counter()
    client.get(TOTAL)
    took = time.perf_counter() - began
    found = read(client.get("/metrics"))
    counted = sample(found, "tillhouse_http_request_seconds_sum", method="GET", route=TOTAL)
    assert counted is not None
    assert 0 < counted <= took


def test_answers_of_the_cache_are_counted(client: StrictClient) -> None:
    with client.application.app_context():
        for outcome in ("hit", "hit", "miss", "not_modified"):
            count_cache(outcome)
    found = read(client.get("/metrics"))
    counts = [
        sample(found, "tillhouse_cache_total", outcome=name) for name in ("hit", "miss", "not_modified")
    ]
    assert counts == [2, 1, 1]


def test_the_newest_build_is_described(client: StrictClient, golden: int, warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            """
            update core.builds
            set built_at = now() - interval '1 hour', seconds = '{"landing": 1.5, "publish": 0.25}'
            """
        )
        connection.execute(
            "insert into core.builds (status, is_full, requested_by) values ('failed', true, 'cli')"
        )
    found = read(client.get("/metrics"))
    assert sample(found, "tillhouse_up", part="postgres") == 1
    assert labels_of(found, "tillhouse_build_info", "build_id") == {str(golden)}
    age = sample(found, "tillhouse_build_age_seconds")
    assert age is not None
    assert 3600 <= age < 3660
    assert sample(found, "tillhouse_data_as_of") == datetime(2024, 5, 18, tzinfo=UTC).timestamp()
    assert sample(found, "tillhouse_build_seconds", stage="landing") == 1.5
    assert sample(found, "tillhouse_build_seconds", stage="publish") == 0.25


def test_quarantined_rows_are_counted_by_reason(client: StrictClient, warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        add_batch(connection, 1, "landed", {"quantity_zero": 3, "duplicate_row": 2})
        add_batch(connection, 2, "voided", {"quantity_zero": 4})
        add_batch(connection, 3, "refused", {"quantity_zero": 50})
    found = read(client.get("/metrics"))
    name = "tillhouse_quarantined_rows_total"
    assert sample(found, name, reason="quantity_zero") == 7
    assert sample(found, name, reason="duplicate_row") == 2


def test_jobs_in_flight_are_counted(client: StrictClient, warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        for status in ("queued", "queued", "running", "succeeded", "failed"):
            connection.execute(
                "insert into app.jobs (kind, status, requested_by) values ('refresh', %s, 'api')", (status,)
            )
    found = read(client.get("/metrics"))
    assert sample(found, "tillhouse_jobs", kind="refresh", status="queued") == 2
    assert sample(found, "tillhouse_jobs", kind="refresh", status="running") == 1
    assert labels_of(found, "tillhouse_jobs", "status") == {"queued", "running"}


def test_without_a_build_there_are_no_figures_of_one(client: StrictClient) -> None:
    found = read(client.get("/metrics"))
    assert sample(found, "tillhouse_up", part="postgres") == 1
    assert not [name for name, _ in found if name.startswith(("tillhouse_build", "tillhouse_data"))]


def test_without_postgres_the_rest_is_still_told(settings: Settings) -> None:
    app = create_app(settings, NOWHERE)
    try:
        client = app.test_client()
        client.get("/healthz")
        found = read(client.get("/metrics"))
    finally:
        close(app)
    assert sample(found, "tillhouse_up", part="postgres") == 0
    assert sample(found, "tillhouse_http_requests_total", method="GET", route="/healthz", status="200") == 1
    assert not [name for name, _ in found if name.startswith(("tillhouse_build", "tillhouse_quarantined"))]


def test_two_apps_count_for_themselves(make_client: Callable[..., StrictClient]) -> None:
    one, other = make_client(), make_client()
    one.get("/healthz")
    health = {"method": "GET", "route": "/healthz", "status": "200"}
    assert sample(read(one.get("/metrics")), "tillhouse_http_requests_total", **health) == 1
    assert sample(read(other.get("/metrics")), "tillhouse_http_requests_total", **health) is None


@pytest.mark.usefixtures("golden")
def test_with_accounts_the_figures_need_a_token(make_client: Callable[..., StrictClient]) -> None:
    assert make_client(accounts=True).get("/metrics").status_code == 401
