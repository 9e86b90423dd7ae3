"""Uploads: what reaches Dagster, how an import is told, and what is refused."""

import csv
import gzip
import hashlib
import io
import stat
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from api.dagster import DagsterUnavailable, Run
from api.resources.imports import _source_name
from pipeline.landing.models import is_source_name
from pipeline.settings import Settings
from pipeline.sources import FEEDS
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import IMPORTS, LINES, form, job_of, send, stored
from tests.conftest import Warehouse

NUL = "\0"
ONE_MORE = "insert into raw.quarantine (batch_id, row_number, reasons, raw_text) values (%s, %s, %s, %s)"


def test_a_raw_body_is_stored_privately_and_loaded_by_the_job_refresh(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    response = send(caller, "?source=web&mode=overwrite&force=true&filename=jan.csv")
    job = job_of(response)
    assert response.headers["Location"] == f"{IMPORTS}/{job['id']}"
    folder = settings.uploads_folder
    assert stored(folder) == [job["id"], f"{job['id']}/1.csv"]
    path = folder / job["id"] / "1.csv"
    assert path.read_bytes() == LINES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    run = fake.runs["run-1"]
    assert run["selector"]["jobName"] == "refresh"
    assert run["config"]["resources"]["refresh_request"]["config"] == {
        "files": [str(path)],
        "file_names": ["jan.csv"],
        "source": "web",
        "feed": None,
        "mode": "overwrite",
        "duplicate_rows": None,
        "force": True,
        "requested_by": "api",
    }
    assert run["tags"] == {
        "tillhouse/job_id": job["id"],
        "tillhouse/requested_by": "api",
        "tillhouse/request_id": response.headers["X-Request-Id"],
    }
    assert (job["status"], job["dry_run"], job["batch_ids"]) == ("queued", False, [])
    assert job["files"] == [
        {
            "name": "jan.csv",
            "size_bytes": len(LINES),
            "sha256": hashlib.sha256(LINES).hexdigest(),
            "status": None,
            "batch_id": None,
            "rows_read": None,
            "rows_accepted": None,
            "rows_quarantined": None,
            "reasons": None,
            "message": None,
        }
    ]


def test_the_files_of_a_form_are_one_import_in_their_order(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    packed = gzip.compress(LINES)
    job = job_of(caller.post(IMPORTS, **form(("b.csv", LINES), ("a.csv.gz", packed))))
    assert [file["name"] for file in job["files"]] == ["b.csv", "a.csv.gz"]
    folder = settings.uploads_folder / job["id"]
    assert [(folder / name).read_bytes() for name in ("1.csv", "2.csv")] == [LINES, packed]
    config = fake.runs["run-1"]["config"]["resources"]["refresh_request"]["config"]
    assert config["files"] == [str(folder / "1.csv"), str(folder / "2.csv")]


def test_a_form_with_a_large_file_is_stored_whole(caller: StrictClient, settings: Settings) -> None:
    data = LINES + b"".join(b"%d,P1,2024-01-05,2,9.50\n" % number for number in range(100_000))
    job = job_of(caller.post(IMPORTS, **form(("a.csv", data), ("b.csv", LINES))))
    folder = settings.uploads_folder / job["id"]
    assert [(folder / name).read_bytes() for name in ("1.csv", "2.csv")] == [data, LINES]
    assert job["files"][0]["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_dry_run_is_a_job_of_its_own(caller: StrictClient, fake: FakeDagster) -> None:
    job = job_of(send(caller, "?dry_run=true&duplicate_rows=keep"))
    assert job["dry_run"] is True
    run = fake.runs["run-1"]
    assert run["selector"]["jobName"] == "check_import"
    assert run["config"]["ops"]["check_files"]["config"].keys() == {
        "files", "file_names", "source", "feed", "mode", "duplicate_rows",
    }  # fmt: skip
    listed = caller.get(IMPORTS).json
    assert listed is not None
    assert [found["id"] for found in listed["data"]] == [job["id"]]


def test_without_dagster_nothing_of_an_upload_stays(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    fake.is_down = True
    response = send(caller)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (503, "dagster_unavailable")
    assert stored(settings.uploads_folder) == []


def test_an_upload_whose_launch_nobody_knows_of_is_kept_and_followed(
    caller: StrictClient, fake: FakeDagster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dagster takes the run, its answer is lost, and then it cannot be asked.
    def lost(*_: Any) -> Run:
        fake.add_run("run-1", "QUEUED", {})
        raise DagsterUnavailable("Dagster did not answer as it should.", is_certain=False)

    with monkeypatch.context() as patched:
        patched.setattr("api.dagster.Dagster.launch", lost)
        job = job_of(send(caller))
    assert (job["status"], job["dagster_run_id"]) == ("queued", None)
    assert stored(settings.uploads_folder) == [job["id"], f"{job['id']}/1.csv"]
    fake.runs["run-1"]["tags"] = {"tillhouse/job_id": job["id"]}
    now = caller.get(f"{IMPORTS}/{job['id']}").json
    assert now is not None
    assert (now["data"]["status"], now["data"]["dagster_run_id"]) == ("queued", "run-1")


def test_an_upload_that_is_under_way_is_kept_when_postgres_goes_away(
    caller: StrictClient, fake: FakeDagster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise psycopg.OperationalError("the connection is lost")

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.jobs.rows.set_run", gone)
        assert send(caller).status_code == 503
    [run] = fake.runs.values()
    job_id = run["tags"]["tillhouse/job_id"]
    assert stored(settings.uploads_folder) == [job_id, f"{job_id}/1.csv"]
    now = caller.get(f"{IMPORTS}/{job_id}").json
    assert now is not None
    assert now["data"]["dagster_run_id"] == "run-1"


def test_an_upload_is_removed_when_postgres_is_away_before_its_run(
    caller: StrictClient, fake: FakeDagster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr("pipeline.jobs.asking.join_or_queue", gone)
    assert send(caller).status_code == 503
    assert (stored(settings.uploads_folder), fake.runs) == ([], {})


def test_a_folder_that_cannot_be_written_to_is_a_503(
    make_client: Any, fake: FakeDagster, tmp_path: Path
) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    response = send(make_client(fake, uploads=place))
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (503, "uploads_unavailable")
    assert fake.runs == {}


def test_an_import_is_canceled_by_its_run(caller: StrictClient, fake: FakeDagster) -> None:
    job = job_of(send(caller))
    canceled = job_of(caller.delete(f"{IMPORTS}/{job['id']}"))
    assert (canceled["status"], fake.runs["run-1"]["status"]) == ("canceled", "CANCELED")


def test_a_refresh_is_no_import_and_the_other_way_round(caller: StrictClient) -> None:
    imported = job_of(send(caller))
    refreshed = job_of(caller.post("/refresh"))
    assert imported["id"] != refreshed["id"]
    for path in (f"{IMPORTS}/{refreshed['id']}", f"/api/v1/refreshes/{imported['id']}"):
        assert caller.get(path).status_code == 404
        assert caller.delete(path).status_code == 404
    assert caller.get(f"{IMPORTS}/{uuid4()}/rejects").status_code == 404


def rejects_of(caller: StrictClient, job_id: str, limit: int = 50) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = caller.get(f"{IMPORTS}/{job_id}/rejects?limit={limit}{cursor}").json
        assert page is not None
        found.extend(page["data"])
        if not page["page"]["has_more"]:
            return found
        cursor = f"&cursor={page['page']['next_cursor']}"


def test_the_rejects_of_an_import_are_those_of_its_batches(
    caller: StrictClient, warehouse: Warehouse
) -> None:
    job = job_of(caller.post(IMPORTS, **form(("a.csv", LINES), ("b.csv", LINES))))
    with connect(warehouse.urls.owner) as connection:
        # Batch 3 equals batch 1: its rows are there.
        for batch_id, status, sha256 in ((1, "landed", "x"), (2, "landed", "y"), (3, "skipped", "x")):
            connection.execute(
                "insert into raw.batches (batch_id, call_id, source, mode, status, file_name, sha256,"
                " requested_by) values (%s, %s, 'default', 'append', %s, 'f', %s, 'api')",
                (batch_id, batch_id, status, sha256),
            )
        for batch_id, row_number in ((1, 4), (1, 2), (2, 9)):
            connection.execute(
                ONE_MORE,
                (batch_id, row_number, ["invalid_date", "zero_quantity"], f"raw {batch_id}-{row_number}"),
            )
        files = [{"name": "a.csv", "status": "skipped", "batch_id": 3}, {"name": "b.csv", "batch_id": 2}]
        connection.execute(
            "update app.jobs set result = %s where job_id = %s", (Jsonb({"files": files}), job["id"])
        )
    found = rejects_of(caller, job["id"], limit=1)
    assert [(row["file_number"], row["file_name"], row["row_number"], row["raw_text"]) for row in found] == [
        (1, "a.csv", 2, "raw 1-2"),
        (1, "a.csv", 4, "raw 1-4"),
        (2, "b.csv", 9, "raw 2-9"),
    ]
    assert found[0]["reasons"] == ["invalid_date", "zero_quantity"]


def test_the_rejects_of_a_dry_run_are_paged(caller: StrictClient, warehouse: Warehouse) -> None:
    job = job_of(send(caller, "?dry_run=true&filename=x.csv"))
    with connect(warehouse.urls.owner) as connection:
        for number in range(5, 0, -1):
            connection.execute(
                "insert into app.import_rejects values (%s, 1, %s, %s, 'raw')",
                (UUID(job["id"]), number, ["invalid_date"]),
            )
    assert [row["row_number"] for row in rejects_of(caller, job["id"], limit=2)] == [1, 2, 3, 4, 5]
    wrong = caller.get(f"{IMPORTS}/{job['id']}/rejects?cursor=WyJ4Il0")
    assert wrong.status_code == 400


@pytest.mark.parametrize("dry_run", [True, False])
def test_rejects_come_as_one_csv_file_that_no_spreadsheet_runs(
    caller: StrictClient, warehouse: Warehouse, *, dry_run: bool
) -> None:
    job = job_of(send(caller, f"?dry_run={dry_run}&filename=x.csv"))
    raw = ["=1+1,P1", '@a "b"\nc', *("plain" for _ in range(598))]
    with connect(warehouse.urls.owner) as connection:
        if dry_run:
            statement = "insert into app.import_rejects values (%s, 1, %s, %s, %s)"
            key: object = UUID(job["id"])
        else:
            key, statement = 1, ONE_MORE
            connection.execute(
                "insert into raw.batches (batch_id, call_id, source, mode, status, file_name, requested_by)"
                " values (1, 1, 'default', 'append', 'landed', 'x.csv', 'api')"
            )
            files = [{"name": "x.csv", "status": "landed", "batch_id": 1}]
            connection.execute(
                "update app.jobs set result = %s where job_id = %s", (Jsonb({"files": files}), job["id"])
            )
        for number, text in enumerate(raw, start=2):
            connection.execute(statement.encode(), (key, number, ["a", "b"], text))
    response = caller.get(f"{IMPORTS}/{job['id']}/rejects?format=csv")
    assert (response.status_code, response.mimetype) == (200, "text/csv")
    assert f"imports-{job['id']}-rejects.csv" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert len(rows) == 600
    assert rows[0] == {
        "file_number": "1", "file_name": "x.csv", "row_number": "2", "reasons": "a b", "raw_text": "'=1+1,P1",
    }  # fmt: skip
    assert rows[1]["raw_text"] == '\'@a "b"\nc'
    for query in ("format=csv&limit=5", "format=csv&cursor=x"):
        refused = caller.get(f"{IMPORTS}/{job['id']}/rejects?{query}")
        assert refused.status_code == 422
    assert caller.get(f"{IMPORTS}/{job['id']}/rejects?format=parquet").status_code == 400


@given(st.text(max_size=70))
def test_the_api_takes_the_source_names_that_landing_takes(name: str) -> None:
    try:
        is_taken = 0 < len(_source_name(name)) <= 63
    except ValueError:
        is_taken = False
    assert is_taken == is_source_name(name)


def test_every_feed_can_be_uploaded(caller: StrictClient, fake: FakeDagster) -> None:
    for feed in FEEDS:
        job = job_of(send(caller, f"?feed={feed}"))
        assert job["feed"] == feed
        run = fake.runs[f"run-{len(fake.runs)}"]
        assert run["config"]["resources"]["refresh_request"]["config"]["feed"] == feed
    assert send(caller, "?feed=stock").status_code == 400
