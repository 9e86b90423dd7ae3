"""The same key with the same request is the same job, however often and however soon it comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import LINES, job_of, send, stored
from tests.conftest import Warehouse


def ask(client: StrictClient, key: str, path: str = "/refresh", **body: Any) -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def jobs_of(warehouse: Warehouse) -> int:
    with connect(warehouse.urls.owner) as connection:
        row = connection.execute("select count(*) from app.jobs").fetchone()
    assert row is not None
    return int(row[0])


def test_a_key_that_comes_again_gets_its_job_though_it_has_ended(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    first = ask(caller, "k1")
    assert "Idempotent-Replayed" not in first.headers
    fake.set_status("SUCCESS")
    again = ask(caller, "k1", "/api/v1/refreshes")
    assert job_of(again)["id"] == job_of(first)["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert job_of(caller.post("/refresh"))["id"] != job_of(first)["id"]
    assert (fake.asked["Launch"], jobs_of(warehouse)) == (2, 2)


def test_a_key_of_a_request_that_joined_a_job_gets_that_job(caller: StrictClient, fake: FakeDagster) -> None:
    first = job_of(caller.post("/refresh"))
    assert job_of(ask(caller, "k1"))["id"] == first["id"]
    fake.set_status("SUCCESS")
    assert job_of(ask(caller, "k1"))["id"] == first["id"]
    assert fake.asked["Launch"] == 1


@pytest.mark.parametrize(
    ("path", "body"), [("/refresh", {"full": True}), ("/api/v1/refreshes", {"mode": "append"})]
)
def test_a_key_with_another_request_is_refused(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse, path: str, body: dict[str, Any]
) -> None:
    ask(caller, "k1")
    refused = ask(caller, "k1", path, **body)
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
    upload = send(caller, headers={"Idempotency-Key": "k1"})
    assert upload.status_code == 422
    assert (fake.asked["Launch"], jobs_of(warehouse)) == (1, 1)


def test_another_key_is_another_job(caller: StrictClient, fake: FakeDagster) -> None:
    first = job_of(ask(caller, "k1"))
    fake.set_status("SUCCESS")
    assert job_of(ask(caller, "k2"))["id"] != first["id"]


def test_a_key_that_is_under_way_is_a_conflict(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse
) -> None:
    with connect(warehouse.urls.app) as connection:
        connection.execute("select pg_advisory_xact_lock(7405100, hashtext('None k1'))")
        busy = ask(caller, "k1")
        assert (busy.status_code, busy.json["code"]) == (409, "idempotency_conflict")
        assert busy.headers["Retry-After"] == "1"
        assert ask(caller, "k2").status_code == 202
    assert ask(caller, "k1").status_code == 202


def test_twenty_requests_with_one_key_at_once_are_one_upload(
    make_client: Callable[..., StrictClient], fake: FakeDagster, warehouse: Warehouse, settings: Settings
) -> None:
    clients = [make_client(fake) for _ in range(4)]

    def upload(number: int) -> Any:
        return send(clients[number % 4], headers={"Idempotency-Key": "k1"})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(upload, range(20)))
    codes = {answer.status_code for answer in answers}
    # While one has the key, the others are asked to wait.
    assert codes <= {202, 409}
    [job_id] = {job_of(answer)["id"] for answer in answers if answer.status_code == 202}
    assert sum("Idempotent-Replayed" not in a.headers for a in answers if a.status_code == 202) == 1
    assert (fake.asked["Launch"], jobs_of(warehouse)) == (1, 1)
    assert stored(settings.uploads_folder) == [job_id, f"{job_id}/1.csv"]


def test_the_same_key_with_another_file_is_refused_and_the_file_is_gone(
    caller: StrictClient, settings: Settings
) -> None:
    first = job_of(send(caller, headers={"Idempotency-Key": "k1"}))
    other = send(caller, body=LINES + b"\n", headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert stored(settings.uploads_folder) == [first["id"], f"{first['id']}/1.csv"]


def test_a_request_that_was_answered_503_may_come_again_with_its_key(
    caller: StrictClient, fake: FakeDagster
) -> None:
    fake.is_down = True
    assert ask(caller, "k1").status_code == 503
    fake.is_down = False
    assert job_of(ask(caller, "k1"))["status"] == "queued"
    assert ask(caller, "k1").headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_what_is_no_key_is_refused(caller: StrictClient, fake: FakeDagster, key: str) -> None:
    refused = ask(caller, key)
    assert (refused.status_code, refused.json["code"]) == (400, "invalid_parameter")
    assert refused.json["errors"][0]["parameter"] == "Idempotency-Key"
    assert fake.runs == {}


@pytest.mark.parametrize("given", ["6f1c0b0e-3c55-4a0e-9d3a-1f6f0b7a2c11", "not-an-id", "a" * 5000])
def test_a_request_id_is_taken_when_it_is_a_uuid_and_reaches_the_row_and_the_run(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse, given: str
) -> None:
    response = caller.post("/refresh", headers={"X-Request-Id": given})
    answered = response.headers["X-Request-Id"]
    assert (answered == given) == (len(given) == 36)
    assert fake.runs["run-1"]["tags"]["tillhouse/request_id"] == answered
    with connect(warehouse.urls.owner) as connection:
        assert connection.execute("select request_id::text from app.jobs").fetchall() == [(answered,)]
