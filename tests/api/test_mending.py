"""Void, restore and replay through the API: what reaches Dagster, and what is refused."""

from typing import Any

import pytest

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import job_of, stored
from tests.conftest import Warehouse

BATCHES = "/api/v1/batches"


@pytest.fixture(autouse=True)
def batch(warehouse: Warehouse) -> None:
    """One landed batch."""
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "insert into raw.batches (batch_id, call_id, source, mode, status, file_name, requested_by)"
            " values (1, 1, 'default', 'append', 'landed', 'x.csv', 'api')"
        )


def launched(fake: FakeDagster) -> dict[str, Any]:
    """What the only run was asked to do."""
    [run] = fake.runs.values()
    assert run["selector"]["jobName"] == "refresh"
    config: dict[str, Any] = run["config"]["resources"]["refresh_request"]["config"]
    return config


@pytest.mark.parametrize(
    ("path", "config"),
    [
        ("void", {"void": [1], "reopen": False}),
        ("void?reopen=true", {"void": [1], "reopen": True}),
        ("restore", {"restore": [1], "reopen": False}),
        ("replay", {"replay": 1, "reopen": False}),
    ],
)
def test_it_is_a_refresh_that_lands_nothing(
    caller: StrictClient, fake: FakeDagster, path: str, config: dict[str, Any]
) -> None:
    response = caller.post(f"{BATCHES}/1/{path}")
    job = job_of(response)
    assert response.headers["Location"] == f"/api/v1/refreshes/{job['id']}"
    assert launched(fake) == config | {"requested_by": "api"}
    assert caller.get(response.headers["Location"]).status_code == 200


def test_corrected_rows_are_stored_for_the_run(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    body = b"Order ID,tillhouse_row\n1,2\n"
    job = job_of(caller.post(f"{BATCHES}/1/replay", data=body, content_type="text/csv"))
    path = settings.uploads_folder / job["id"] / "1.csv"
    assert path.read_bytes() == body
    assert launched(fake) == {"replay": 1, "reopen": False, "requested_by": "api", "files": [str(path)]}


def test_the_same_key_is_answered_with_the_same_job(caller: StrictClient, fake: FakeDagster) -> None:
    first, second = (
        job_of(caller.post(f"{BATCHES}/1/void", headers={"Idempotency-Key": "k"})) for _ in range(2)
    )
    assert first["id"] == second["id"]
    assert len(fake.runs) == 1
    refused = caller.post(f"{BATCHES}/1/restore", headers={"Idempotency-Key": "k"})
    assert refused.status_code == 422


@pytest.mark.parametrize("batch_id", ["2", str(2**63), "9" * 30])
def test_a_batch_that_is_not_there_is_a_404(
    caller: StrictClient, fake: FakeDagster, settings: Settings, batch_id: str
) -> None:
    for what in ("void", "restore", "replay"):
        assert caller.post(f"{BATCHES}/{batch_id}/{what}").status_code == 404
    sent = caller.post(f"{BATCHES}/{batch_id}/replay", data=b"x", content_type="text/csv")
    assert sent.status_code == 404
    assert (fake.runs, stored(settings.uploads_folder)) == ({}, [])


def test_corrected_rows_come_as_one_file_of_a_kind_that_is_read(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    refused = caller.post(f"{BATCHES}/1/replay", data=b"{}", content_type="image/png")
    assert refused.status_code == 415
    assert (fake.runs, stored(settings.uploads_folder)) == ({}, [])


def test_the_rejects_of_a_batch_are_listed_by_reason_and_come_as_a_file(
    caller: StrictClient, warehouse: Warehouse
) -> None:
    rows = [(2, ["a"], "one"), (5, ["a", "b"], "=two"), (9, ["b"], "three")]
    with connect(warehouse.urls.owner) as connection:
        for row in rows:
            connection.execute(
                "insert into raw.quarantine (batch_id, row_number, reasons, raw_text) values (1, %s, %s, %s)",
                row,
            )
    path = f"{BATCHES}/1/rejects"
    first = told(caller, f"{path}?limit=2")
    assert [row["row_number"] for row in first["data"]] == [2, 5]
    rest = told(caller, f"{path}?limit=2&cursor={first['page']['next_cursor']}")
    assert rest["data"] == [{"row_number": 9, "reasons": ["b"], "raw_text": "three"}]
    assert rest["page"] == {"next_cursor": None, "has_more": False}
    assert [row["row_number"] for row in told(caller, f"{path}?reason=b")["data"]] == [5, 9]
    file = caller.get(f"{path}?format=csv&reason=b")
    assert file.text == "row_number,reasons,raw_text\r\n5,a b,'=two\r\n9,b,three\r\n"
    assert caller.get(f"{path}?format=csv&limit=1").status_code == 422
    assert caller.get(f"{BATCHES}/7/rejects").status_code == 404


def told(caller: StrictClient, path: str) -> dict[str, Any]:
    """The answer to a request."""
    found: dict[str, Any] = caller.get(path).get_json()
    return found
