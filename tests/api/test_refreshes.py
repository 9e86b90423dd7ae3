"""Refreshes as jobs, before a stand-in for Dagster."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import dagster_graphql.schema
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG
from graphql import parse, validate

from api import dagster, jobs
from api.queries import refreshes
from pipeline.builds.plan import FIRST_START
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.conftest import Warehouse


@pytest.fixture
def fake() -> FakeDagster:
    return FakeDagster()


@pytest.fixture
def client(make_client: Callable[..., StrictClient], fake: FakeDagster) -> StrictClient:
    return make_client(fake)


def started(client: StrictClient, path: str = "/refresh", **body: Any) -> dict[str, Any]:
    response = client.post(path, json=body) if body else client.post(path)
    assert response.status_code == 202, response.data
    assert response.json is not None
    job: dict[str, Any] = response.json["data"]
    assert response.headers["Location"] == f"/api/v1/refreshes/{job['id']}"
    assert response.headers["Retry-After"] == "1"
    return job


def seen(client: StrictClient, job: dict[str, Any]) -> dict[str, Any]:
    response = client.get(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    data: dict[str, Any] = response.json["data"]
    return data


def set_row(warehouse: Warehouse, job: dict[str, Any], assignment: str) -> None:
    with connect(warehouse.urls.owner) as connection:
        statement = f"update app.refreshes set {assignment} where refresh_id = %s"
        connection.execute(statement.encode(), (job["id"],))


def begun_by(warehouse: Warehouse, requested_by: str, run_id: str) -> dict[str, Any]:
    """A refresh that the pipeline put on record itself, an hour ago."""
    with connect(warehouse.urls.owner) as connection:
        made = connection.execute(
            "insert into app.refreshes (status, requested_by, is_full, dagster_run_id, requested_at)"
            " values ('running', %s, false, %s, now() - interval '1 hour')"
            " returning refresh_id",
            (requested_by, run_id),
        ).fetchone()
    assert made is not None
    return {"id": str(made[0])}


def died(warehouse: Warehouse, fake: FakeDagster, job: dict[str, Any]) -> None:
    """The job's run began, and its process died."""
    fake.set_status("FAILURE")
    set_row(warehouse, job, "status = 'running', requested_at = now() - interval '1 hour'")


@pytest.mark.parametrize(
    "document", [dagster._LAUNCH, dagster._RUNS, dagster._LOGS, dagster._TERMINATE, dagster._VERSION]
)
def test_the_installed_dagster_understands_every_question(document: str) -> None:
    schema = dagster_graphql.schema.create_schema().graphql_schema
    assert validate(schema, parse(document)) == []


def test_a_refresh_is_one_run_tagged_with_its_job(client: StrictClient, fake: FakeDagster) -> None:
    job = started(client)
    assert (job["status"], job["dagster_run_id"], job["full"], job["mode"]) == (
        "queued",
        "run-1",
        False,
        None,
    )
    run = fake.runs["run-1"]
    assert run["tags"]["tillhouse/refresh_id"] == job["id"]
    assert run["selector"] == {
        "repositoryLocationName": "tillhouse",
        "repositoryName": "__repository__",
        "jobName": "refresh",
    }


def test_what_is_asked_reaches_the_run(client: StrictClient, fake: FakeDagster) -> None:
    job = started(client, "/api/v1/refreshes", mode="overwrite", full=True, sources=["web", "till", "web"])
    assert (job["mode"], job["full"], job["sources"]) == ("overwrite", True, ["till", "web"])
    assert fake.runs["run-1"]["config"]["resources"]["refresh_request"]["config"] == {
        "full": True,
        "mode": "overwrite",
        "sources": ["till", "web"],
        "requested_by": "api",
    }


def test_what_the_pipeline_tells_of_a_failure_becomes_a_problem(
    client: StrictClient, warehouse: Warehouse
) -> None:
    job = started(client)
    told = """'{"stage": "audit", "detail": "unique failed"}'"""
    set_row(warehouse, job, f"status = 'failed', problem = {told}")
    assert seen(client, job)["problem"] == {
        "type": "/problems/refresh_failed",
        "title": "Refresh failed",
        "status": 500,
        "detail": "unique failed",
        "code": "refresh_failed",
        "stage": "audit",
    }
    set_row(warehouse, job, "problem = null, message = 'The process ended.'")
    assert seen(client, job)["problem"]["detail"] == "The process ended."


def test_ten_callers_at_once_get_one_run_and_all_its_name(
    make_client: Callable[..., StrictClient], fake: FakeDagster, warehouse: Warehouse
) -> None:
    clients = [make_client(fake) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        jobs = list(pool.map(started, clients))
    assert len({job["id"] for job in jobs}) == 1
    assert fake.asked["Launch"] == 1
    with connect(warehouse.urls.owner) as connection:
        assert connection.execute("select count(*) from app.refreshes").fetchone() == (1,)


def test_after_the_batches_are_fixed_one_follow_up_answers_all(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    first = started(client)
    fake.set_status("STARTED")
    set_row(warehouse, first, "status = 'running', batches_fixed_at = now()")
    with ThreadPoolExecutor(5) as pool:
        others = list(pool.map(lambda _: started(client), range(5)))
    assert {other["id"] for other in others} == {others[0]["id"]}
    assert others[0]["id"] != first["id"]
    assert fake.asked["Launch"] == 2


def test_another_request_is_another_job(client: StrictClient, fake: FakeDagster) -> None:
    jobs = [
        started(client),
        started(client, full=True),
        started(client, sources=["web"]),
        started(client, mode="append"),
    ]
    assert len({job["id"] for job in jobs}) == 4


def test_without_dagster_a_refresh_is_refused_and_the_numbers_still_answer(
    client: StrictClient, fake: FakeDagster, golden: int
) -> None:
    fake.is_down = True
    response = client.post("/refresh")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json is not None
    assert response.json["code"] == "dagster_unavailable"
    assert client.get("/api/v1/revenue/total").status_code == 200
    listed = client.get("/api/v1/refreshes").json
    assert listed is not None
    assert [(job["status"], job["problem"]["code"]) for job in listed["data"]] == [
        ("failed", "dagster_unavailable")
    ]


def test_without_a_code_location_a_refresh_is_refused(client: StrictClient, fake: FakeDagster) -> None:
    fake.launch_answer = {"__typename": "PipelineNotFoundError", "message": "no such job"}
    response = client.post("/refresh")
    assert response.status_code == 503
    assert response.json is not None
    assert "code location" in response.json["detail"]
    fake.launch_answer = None
    assert started(client)["status"] == "queued"


def test_a_run_whose_launch_answer_was_lost_is_found_by_its_tag(
    client: StrictClient, fake: FakeDagster
) -> None:
    fake.loses_launch_answers = True
    assert started(client)["dagster_run_id"] == "run-1"


@pytest.mark.parametrize(
    ("of_run", "of_job", "problem"),
    [
        ("STARTED", "queued", None),
        ("SUCCESS", "succeeded", None),
        ("FAILURE", "failed", "refresh_failed"),
        ("CANCELED", "canceled", None),
    ],
)
def test_a_job_follows_its_run(
    client: StrictClient, fake: FakeDagster, of_run: str, of_job: str, problem: str | None
) -> None:
    job = started(client)
    fake.set_status(of_run)
    now = seen(client, job)
    assert (now["status"], (now["problem"] or {}).get("code")) == (of_job, problem)


def test_what_the_pipeline_said_at_the_end_stays(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(client)
    set_row(
        warehouse,
        job,
        "status = 'succeeded', message = 'no new data', counts = '{\"rows_read\": 6}', build_id = 3",
    )
    fake.set_status("FAILURE")
    now = seen(client, job)
    assert (now["status"], now["message"], now["counts"], now["build_id"]) == (
        "succeeded", "no new data", {"rows_read": 6}, 3,
    )  # fmt: skip


def test_a_dead_run_is_not_joined(client: StrictClient, fake: FakeDagster) -> None:
    first = started(client)
    fake.set_status("FAILURE")
    assert started(client)["id"] != first["id"]
    assert seen(client, first)["status"] == "failed"


def test_a_job_that_never_got_a_run_fails_after_a_minute(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    first = started(client)
    fake.runs.clear()
    assert seen(client, first)["status"] == "queued"
    set_row(warehouse, first, "requested_at = now() - interval '61 seconds'")
    assert started(client)["id"] != first["id"]
    assert seen(client, first)["status"] == "failed"


@pytest.mark.parametrize("requested_by", ["cli", "schedule", "inbox"])
@pytest.mark.parametrize("run_status", ["STARTING", "STARTED", "CANCELING"])
def test_a_refresh_that_the_pipeline_began_is_followed_by_its_run(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse, requested_by: str, run_status: str
) -> None:
    fake.add_run("other", run_status, {})
    job = begun_by(warehouse, requested_by, "other")
    now = seen(client, job)
    assert (now["status"], now["dagster_run_id"]) == ("running", "other")
    assert started(client, full=True)["id"] != job["id"]
    assert seen(client, job)["status"] == "running"
    fake.runs["other"]["status"] = "FAILURE"
    assert seen(client, job)["status"] == "failed"


def test_a_scheduled_run_that_died_has_failed_though_dagster_tries_it_again(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    # Its retry has no tag to tell the row by, and begins a row of its own.
    fake.add_run("other", "FAILURE", {WILL_RETRY_TAG: "true"})
    assert seen(client, begun_by(warehouse, "schedule", "other"))["status"] == "failed"


def test_a_scheduled_refresh_is_canceled_by_its_run(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    fake.add_run("other", "STARTED", {})
    job = begun_by(warehouse, "schedule", "other")
    response = client.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["data"]["status"]) == (202, "canceled")
    assert fake.runs["other"]["status"] == "CANCELED"


@pytest.mark.parametrize("requested_by", ["cli", "first start"])
def test_a_refresh_of_the_command_line_is_not_canceled_from_here(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse, requested_by: str
) -> None:
    fake.add_run("other", "STARTED", {})
    job = begun_by(warehouse, requested_by, "other")
    response = client.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (409, "not_cancelable")
    assert "runs in a terminal's own process" in response.json["detail"]
    assert (fake.asked["Terminate"], fake.runs["other"]["status"]) == (0, "STARTED")
    assert seen(client, job)["status"] == "running"


def test_the_first_start_is_known_by_the_pipelines_name() -> None:
    assert FIRST_START in jobs.IN_A_TERMINAL


@pytest.mark.parametrize("of_retry", ["QUEUED", "STARTING", "STARTED"])
def test_a_job_whose_run_died_goes_on_in_its_retry(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse, of_retry: str
) -> None:
    job = started(client)
    died(warehouse, fake, job)
    fake.add_run("retry", of_retry, {"tillhouse/refresh_id": job["id"]})
    assert seen(client, job)["status"] == "running"
    assert started(client)["id"] == job["id"]
    set_row(warehouse, job, "dagster_run_id = 'retry'")
    assert seen(client, job)["status"] == "running"
    fake.set_status("FAILURE")
    assert seen(client, job)["status"] == "failed"


def test_a_job_waits_for_a_retry_that_dagster_has_yet_to_make(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(client)
    died(warehouse, fake, job)
    fake.runs["run-1"]["tags"][WILL_RETRY_TAG] = "true"
    assert seen(client, job)["status"] == "running"
    response = client.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (409, "not_cancelable")
    assert seen(client, job)["status"] == "running"
    fake.runs["run-1"]["tags"][WILL_RETRY_TAG] = "false"
    assert seen(client, job)["status"] == "failed"


def test_a_job_closed_as_interrupted_is_queued_while_its_retry_is(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(client)
    fake.set_status("FAILURE")
    set_row(warehouse, job, "status = 'failed', message = 'Interrupted.', finished_at = now()")
    fake.add_run("retry", "QUEUED", {"tillhouse/refresh_id": job["id"]})
    now = seen(client, job)
    assert (now["status"], now["problem"], now["finished_at"]) == ("queued", None, None)
    fake.runs["retry"]["status"] = "CANCELED"
    assert seen(client, job)["status"] == "failed"


def test_canceling_a_job_cancels_its_retry(
    client: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(client)
    died(warehouse, fake, job)
    fake.add_run("retry", "QUEUED", {"tillhouse/refresh_id": job["id"]})
    response = client.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["data"]["status"]) == (202, "canceled")
    assert fake.runs["retry"]["status"] == "CANCELED"


@pytest.mark.parametrize(
    ("row", "seen_run", "is_ended", "status"),
    [
        ("status = 'running'", "run-1", True, "failed"),
        ("status = 'running', dagster_run_id = 'retry'", "run-1", False, "running"),
        ("status = 'running'", None, False, "running"),
        ("status = 'succeeded'", "run-1", False, "succeeded"),
        ("status = 'canceled'", "run-1", False, "canceled"),
    ],
)
def test_only_a_job_in_flight_with_the_run_that_was_looked_at_is_ended(
    client: StrictClient, warehouse: Warehouse, row: str, seen_run: str | None, is_ended: bool, status: str
) -> None:
    job = started(client)
    set_row(warehouse, job, row)
    with connect(warehouse.urls.app) as connection:
        ended = refreshes.finish(connection, UUID(job["id"]), "failed", run_id=seen_run)
        found = refreshes.find_refresh(connection, UUID(job["id"]))
    assert found is not None
    assert (ended, found["status"]) == (is_ended, status)


def test_while_dagster_is_away_a_job_is_as_last_known(client: StrictClient, fake: FakeDagster) -> None:
    job = started(client)
    fake.is_down = True
    assert seen(client, job)["status"] == "queued"


def test_a_job_can_be_canceled_once(client: StrictClient, fake: FakeDagster) -> None:
    job = started(client)
    response = client.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["data"]["status"]) == (202, "canceled")
    assert fake.asked["Terminate"] == 1
    again = client.delete(f"/api/v1/refreshes/{job['id']}")
    assert again.json is not None
    assert (again.status_code, again.json["code"]) == (409, "job_finished")


def test_the_log_is_read_in_stretches(client: StrictClient, fake: FakeDagster) -> None:
    job = started(client)
    fake.events = [
        {
            "__typename": "LogMessageEvent",
            "timestamp": "1700000000123",
            "level": "INFO",
            "message": f"line {number}",
            "stepKey": "order_lines",
        }
        for number in range(3)
    ]
    path = f"/api/v1/refreshes/{job['id']}/logs"
    first = client.get(f"{path}?limit=2").json
    assert first is not None
    assert first["data"][0] == {
        "timestamp": "2023-11-14T22:13:20.123000Z",
        "level": "INFO",
        "step": "order_lines",
        "message": "line 0",
    }
    assert first["page"]["has_more"] is True
    rest = client.get(f"{path}?cursor={first['page']['next_cursor']}").json
    assert rest is not None
    assert [line["message"] for line in rest["data"]] == ["line 2"]
    assert rest["page"]["has_more"] is False
    fake.is_down = True
    assert client.get(path).status_code == 503


def test_refreshes_are_listed_newest_first_in_pages(client: StrictClient) -> None:
    jobs = [started(client, sources=[str(number)]) for number in range(5)]
    found: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/api/v1/refreshes?limit=2{cursor}").json
        assert page is not None
        found.extend(job["id"] for job in page["data"])
        if not page["page"]["has_more"]:
            break
        cursor = f"&cursor={page['page']['next_cursor']}"
    assert found == [job["id"] for job in reversed(jobs)]
    failed = client.get("/api/v1/refreshes?status=failed").json
    assert failed is not None
    assert failed["data"] == []


@pytest.mark.parametrize("method", ["get", "delete"])
def test_a_job_that_is_not_there_is_not_found(client: StrictClient, method: str) -> None:
    assert getattr(client, method)(f"/api/v1/refreshes/{uuid4()}").status_code == 404
    assert getattr(client, method)("/api/v1/refreshes/1").status_code == 404


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
    client: StrictClient, fake: FakeDagster, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = client.post("/refresh", data=body, content_type=content_type)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (status, code)
    assert fake.runs == {}


def test_an_empty_body_of_any_kind_is_a_plain_refresh(client: StrictClient) -> None:
    assert client.post("/refresh", data=b"").status_code == 202
    assert client.post("/refresh", data=b"{}", content_type="application/json").status_code == 202
