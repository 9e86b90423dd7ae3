"""Asking for a refresh: one run for all who ask, and what is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import dagster_graphql.schema
import pytest
from graphql import parse, validate

from api import dagster
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.refresh_jobs import seen, set_row, started
from tests.conftest import Warehouse


@pytest.mark.parametrize(
    "document", [dagster._LAUNCH, dagster._RUNS, dagster._LOGS, dagster._TERMINATE, dagster._LOCATION]
)
def test_the_installed_dagster_understands_every_question(document: str) -> None:
    schema = dagster_graphql.schema.create_schema().graphql_schema
    assert validate(schema, parse(document)) == []


def test_a_refresh_is_one_run_tagged_with_its_job(caller: StrictClient, fake: FakeDagster) -> None:
    job = started(caller)
    assert (job["status"], job["dagster_run_id"], job["full"], job["mode"]) == (
        "queued",
        "run-1",
        False,
        None,
    )
    run = fake.runs["run-1"]
    assert run["tags"]["tillhouse/job_id"] == job["id"]
    assert run["selector"] == {
        "repositoryLocationName": "tillhouse",
        "repositoryName": "__repository__",
        "jobName": "refresh",
    }


def test_what_is_asked_reaches_the_run(caller: StrictClient, fake: FakeDagster) -> None:
    job = started(caller, "/api/v1/refreshes", mode="overwrite", full=True, sources=["web", "till", "web"])
    assert (job["mode"], job["full"], job["sources"]) == ("overwrite", True, ["till", "web"])
    assert fake.runs["run-1"]["config"]["resources"]["refresh_request"]["config"] == {
        "full": True,
        "mode": "overwrite",
        "sources": ["till", "web"],
        "requested_by": "api",
    }


def test_what_the_pipeline_tells_of_a_failure_becomes_a_problem(
    caller: StrictClient, warehouse: Warehouse
) -> None:
    job = started(caller)
    told = """'{"stage": "audit", "detail": "unique failed"}'"""
    set_row(warehouse, job, f"status = 'failed', problem = {told}")
    assert seen(caller, job)["problem"] == {
        "type": "/problems/refresh_failed",
        "title": "Refresh failed",
        "status": 500,
        "detail": "unique failed",
        "code": "refresh_failed",
        "stage": "audit",
    }
    set_row(warehouse, job, "problem = null, message = 'The process ended.'")
    assert seen(caller, job)["problem"]["detail"] == "The process ended."


def test_ten_callers_at_once_get_one_run_and_all_its_name(
    make_client: Callable[..., StrictClient], fake: FakeDagster, warehouse: Warehouse
) -> None:
    clients = [make_client(fake) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        jobs = list(pool.map(started, clients))
    assert len({job["id"] for job in jobs}) == 1
    assert fake.asked["Launch"] == 1
    with connect(warehouse.urls.owner) as connection:
        assert connection.execute("select count(*) from app.jobs").fetchone() == (1,)


def test_after_the_batches_are_fixed_one_follow_up_answers_all(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    first = started(caller)
    fake.set_status("STARTED")
    set_row(warehouse, first, "status = 'running', batches_fixed_at = now()")
    with ThreadPoolExecutor(5) as pool:
        others = list(pool.map(lambda _: started(caller), range(5)))
    assert {other["id"] for other in others} == {others[0]["id"]}
    assert others[0]["id"] != first["id"]
    assert fake.asked["Launch"] == 2


def test_another_request_is_another_job(caller: StrictClient, fake: FakeDagster) -> None:
    jobs = [
        started(caller),
        started(caller, full=True),
        started(caller, sources=["web"]),
        started(caller, mode="append"),
    ]
    assert len({job["id"] for job in jobs}) == 4


def test_without_dagster_a_refresh_is_refused_and_the_numbers_still_answer(
    caller: StrictClient, fake: FakeDagster, golden: int
) -> None:
    fake.is_down = True
    response = caller.post("/refresh")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json is not None
    assert response.json["code"] == "dagster_unavailable"
    assert caller.get("/api/v1/revenue/total").status_code == 200
    listed = caller.get("/api/v1/refreshes").json
    assert listed is not None
    assert [(job["status"], job["problem"]["code"]) for job in listed["data"]] == [
        ("failed", "dagster_unavailable")
    ]


def test_without_a_code_location_a_refresh_is_refused(caller: StrictClient, fake: FakeDagster) -> None:
    fake.launch_answer = {"__typename": "PipelineNotFoundError", "message": "no such job"}
    response = caller.post("/refresh")
    assert response.status_code == 503
    assert response.json is not None
    assert "code location" in response.json["detail"]
    fake.launch_answer = None
    assert started(caller)["status"] == "queued"


def test_a_run_whose_launch_answer_was_lost_is_found_by_its_tag(
    caller: StrictClient, fake: FakeDagster
) -> None:
    fake.loses_launch_answers = True
    assert started(caller)["dagster_run_id"] == "run-1"


@pytest.mark.parametrize("method", ["get", "delete"])
def test_a_job_that_is_not_there_is_not_found(caller: StrictClient, method: str) -> None:
    assert getattr(caller, method)(f"/api/v1/refreshes/{uuid4()}").status_code == 404
    assert getattr(caller, method)("/api/v1/refreshes/1").status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid_body"),
        (b"[]", "application/json", 400, "invalid_body"),
        (b'{"mode": "replace"}', "application/json", 400, "invalid_parameter"),
        (b'{"full": "perhaps"}', "application/json", 400, "invalid_parameter"),
        (b'{"force": true}', "application/json", 400, "unknown_parameter"),
        (b'{"sources": []}', "application/json", 422, "invalid_value"),
        (b'{"sources": ["\\u0000"]}', "application/json", 422, "invalid_value"),
        (b"full=true", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b" " * 70_000, "application/json", 413, "body_too_large"),
    ],
)
def test_a_wrong_body_starts_nothing(
    caller: StrictClient, fake: FakeDagster, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = caller.post("/refresh", data=body, content_type=content_type)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (status, code)
    assert fake.runs == {}


def test_an_empty_body_of_any_kind_is_a_plain_refresh(caller: StrictClient) -> None:
    assert caller.post("/refresh", data=b"").status_code == 202
    assert caller.post("/refresh", data=b"{}", content_type="application/json").status_code == 202
