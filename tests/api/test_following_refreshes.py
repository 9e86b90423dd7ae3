"""Following a refresh: its run, its retry, its log, its end."""

from uuid import UUID

import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG

from api import jobs
from pipeline.builds.plan import FIRST_START
from pipeline.jobs import rows
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.refresh_jobs import begun_by, died, seen, set_row, started
from tests.conftest import Warehouse


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
    caller: StrictClient, fake: FakeDagster, of_run: str, of_job: str, problem: str | None
) -> None:
    job = started(caller)
    fake.set_status(of_run)
    now = seen(caller, job)
    assert (now["status"], (now["problem"] or {}).get("code")) == (of_job, problem)


def test_what_the_pipeline_said_at_the_end_stays(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(caller)
    set_row(
        warehouse,
        job,
        "status = 'succeeded', message = 'no new data', counts = '{\"rows_read\": 6}', build_id = 3",
    )
    fake.set_status("FAILURE")
    now = seen(caller, job)
    assert (now["status"], now["message"], now["counts"], now["build_id"]) == (
        "succeeded", "no new data", {"rows_read": 6}, 3,
    )  # fmt: skip


def test_a_dead_run_is_not_joined(caller: StrictClient, fake: FakeDagster) -> None:
    first = started(caller)
    fake.set_status("FAILURE")
    assert started(caller)["id"] != first["id"]
    assert seen(caller, first)["status"] == "failed"


def test_a_job_that_never_got_a_run_fails_after_a_minute(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    first = started(caller)
    fake.runs.clear()
    assert seen(caller, first)["status"] == "queued"
    set_row(warehouse, first, "requested_at = now() - interval '61 seconds'")
    assert started(caller)["id"] != first["id"]
    assert seen(caller, first)["status"] == "failed"


@pytest.mark.parametrize("requested_by", ["cli", "schedule", "inbox"])
@pytest.mark.parametrize("run_status", ["STARTING", "STARTED", "CANCELING"])
def test_a_refresh_that_the_pipeline_began_is_followed_by_its_run(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse, requested_by: str, run_status: str
) -> None:
    fake.add_run("other", run_status, {})
    job = begun_by(warehouse, requested_by, "other")
    now = seen(caller, job)
    assert (now["status"], now["dagster_run_id"]) == ("running", "other")
    assert started(caller, full=True)["id"] != job["id"]
    assert seen(caller, job)["status"] == "running"
    fake.runs["other"]["status"] = "FAILURE"
    assert seen(caller, job)["status"] == "failed"


def test_a_scheduled_run_that_died_has_failed_though_dagster_tries_it_again(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    # Its retry has no tag to tell the row by, and begins a row of its own.
    fake.add_run("other", "FAILURE", {WILL_RETRY_TAG: "true"})
    assert seen(caller, begun_by(warehouse, "schedule", "other"))["status"] == "failed"


def test_a_scheduled_refresh_is_canceled_by_its_run(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    fake.add_run("other", "STARTED", {})
    job = begun_by(warehouse, "schedule", "other")
    response = caller.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["data"]["status"]) == (202, "canceled")
    assert fake.runs["other"]["status"] == "CANCELED"


@pytest.mark.parametrize("requested_by", ["cli", "first start"])
def test_a_refresh_of_the_command_line_is_not_canceled_from_here(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse, requested_by: str
) -> None:
    fake.add_run("other", "STARTED", {})
    job = begun_by(warehouse, requested_by, "other")
    response = caller.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (409, "not_cancelable")
    assert "runs in a terminal's own process" in response.json["detail"]
    assert (fake.asked["Terminate"], fake.runs["other"]["status"]) == (0, "STARTED")
    assert seen(caller, job)["status"] == "running"


def test_the_first_start_is_known_by_the_pipelines_name() -> None:
    assert FIRST_START in jobs.IN_A_TERMINAL


@pytest.mark.parametrize("of_retry", ["QUEUED", "STARTING", "STARTED"])
def test_a_job_whose_run_died_goes_on_in_its_retry(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse, of_retry: str
) -> None:
    job = started(caller)
    died(warehouse, fake, job)
    fake.add_run("retry", of_retry, {"tillhouse/job_id": job["id"]})
    assert seen(caller, job)["status"] == "running"
    assert started(caller)["id"] == job["id"]
    set_row(warehouse, job, "dagster_run_id = 'retry'")
    assert seen(caller, job)["status"] == "running"
    fake.set_status("FAILURE")
    assert seen(caller, job)["status"] == "failed"


def test_a_job_waits_for_a_retry_that_dagster_has_yet_to_make(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(caller)
    died(warehouse, fake, job)
    fake.runs["run-1"]["tags"][WILL_RETRY_TAG] = "true"
    assert seen(caller, job)["status"] == "running"
    response = caller.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (409, "not_cancelable")
    assert seen(caller, job)["status"] == "running"
    fake.runs["run-1"]["tags"][WILL_RETRY_TAG] = "false"
    assert seen(caller, job)["status"] == "failed"


def test_a_job_closed_as_interrupted_is_queued_while_its_retry_is(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(caller)
    fake.set_status("FAILURE")
    set_row(warehouse, job, "status = 'failed', message = 'Interrupted.', finished_at = now()")
    fake.add_run("retry", "QUEUED", {"tillhouse/job_id": job["id"]})
    now = seen(caller, job)
    assert (now["status"], now["problem"], now["finished_at"]) == ("queued", None, None)
    fake.runs["retry"]["status"] = "CANCELED"
    assert seen(caller, job)["status"] == "failed"


def test_canceling_a_job_cancels_its_retry(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    job = started(caller)
    died(warehouse, fake, job)
    fake.add_run("retry", "QUEUED", {"tillhouse/job_id": job["id"]})
    response = caller.delete(f"/api/v1/refreshes/{job['id']}")
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
    caller: StrictClient,
    warehouse: Warehouse,
    row: str,
    seen_run: str | None,
    is_ended: bool,
    status: str,
) -> None:
    job = started(caller)
    set_row(warehouse, job, row)
    with connect(warehouse.urls.app) as connection:
        ended = rows.finish(connection, job["id"], seen_run, "failed")
        found = rows.find_job(connection, UUID(job["id"]))
    assert found is not None
    assert (ended, found["status"]) == (is_ended, status)


def test_while_dagster_is_away_a_job_is_as_last_known(caller: StrictClient, fake: FakeDagster) -> None:
    job = started(caller)
    fake.is_down = True
    assert seen(caller, job)["status"] == "queued"


def test_a_job_can_be_canceled_once(caller: StrictClient, fake: FakeDagster) -> None:
    job = started(caller)
    response = caller.delete(f"/api/v1/refreshes/{job['id']}")
    assert response.json is not None
    assert (response.status_code, response.json["data"]["status"]) == (202, "canceled")
    assert fake.asked["Terminate"] == 1
    again = caller.delete(f"/api/v1/refreshes/{job['id']}")
    assert again.json is not None
    assert (again.status_code, again.json["code"]) == (409, "job_finished")


def test_the_log_is_read_in_stretches(caller: StrictClient, fake: FakeDagster) -> None:
    job = started(caller)
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
    first = caller.get(f"{path}?limit=2").json
    assert first is not None
    assert first["data"][0] == {
        "timestamp": "2023-11-14T22:13:20.123000Z",
        "level": "INFO",
        "step": "order_lines",
        "message": "line 0",
    }
    assert first["page"]["has_more"] is True
    rest = caller.get(f"{path}?cursor={first['page']['next_cursor']}").json
    assert rest is not None
    assert [line["message"] for line in rest["data"]] == ["line 2"]
    assert rest["page"]["has_more"] is False
    fake.is_down = True
    assert caller.get(path).status_code == 503


def test_refreshes_are_listed_newest_first_in_pages(caller: StrictClient) -> None:
    jobs = [started(caller, sources=[str(number)]) for number in range(5)]
    found: list[str] = []
    cursor = ""
    while True:
        page = caller.get(f"/api/v1/refreshes?limit=2{cursor}").json
        assert page is not None
        found.extend(job["id"] for job in page["data"])
        if not page["page"]["has_more"]:
            break
        cursor = f"&cursor={page['page']['next_cursor']}"
    assert found == [job["id"] for job in reversed(jobs)]
    failed = caller.get("/api/v1/refreshes?status=failed").json
    assert failed is not None
    assert failed["data"] == []
