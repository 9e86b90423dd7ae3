"""Exports as jobs: what is asked for, who sees it, and the file."""

import csv
import hashlib
import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg.types.json import Jsonb

from api.access import JOB, Principal
from pipeline.assets import exports as export_job
from pipeline.assets.cleanup import clean_up
from pipeline.assets.exports import ExportRefused, count_rows
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import job_of
from tests.api.published import Line
from tests.conftest import Warehouse

EXPORTS = "/api/v1/exports"
READ = frozenset(("analytics:read",))


def ask(client: StrictClient, path: str = "/api/v1/orders", **body: Any) -> Any:
    return client.post(EXPORTS, json={"path": path, **body})


def as_caller(client: StrictClient, caller: Principal) -> None:
    """Let every request of a client be this caller's from now on."""
    environ: dict[str, Any] = client.environ_base
    environ[JOB] = caller


def request_of(warehouse: Warehouse, job: dict[str, Any]) -> dict[str, Any]:
    with connect(warehouse.urls.owner) as connection:
        row = connection.execute("select request from app.jobs where job_id = %s", (job["id"],)).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def finished(warehouse: Warehouse, settings: Settings, job: dict[str, Any], data: bytes) -> Path:
    """What the job leaves behind when it ends well."""
    settings.exports_folder.mkdir(exist_ok=True)
    path = settings.exports_folder / f"{job['id']}.{job['format']}"
    path.write_bytes(data)
    result = {"rows": 1, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "build_id": 1}
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "update app.jobs set status = 'succeeded', result = %s where job_id = %s",
            (Jsonb(result), job["id"]),
        )
    return path


def test_an_export_is_a_run_of_its_own_that_names_nothing_of_the_question(
    caller: StrictClient, fake: FakeDagster, warehouse: Warehouse, golden: int
) -> None:
    response = ask(caller, query={"region": ["Asia", "Europe"]}, format="parquet")
    job = job_of(response)
    assert response.headers["Location"] == f"{EXPORTS}/{job['id']}"
    assert (job["status"], job["file"], job["query"]) == ("queued", None, {"region": ["Asia", "Europe"]})
    run = fake.runs["run-1"]
    assert (run["selector"]["jobName"], run["config"]) == ("export", {})
    assert run["tags"]["tillhouse/job_id"] == job["id"]
    assert request_of(warehouse, job)["address"] == "/api/v1/orders?region=Asia&region=Europe&format=parquet"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"path": "/api/v1/nothing"}, 404, "not_found"),
        ({"path": "http://example.com/"}, 404, "not_found"),
        ({"path": "/api/v1/refreshes"}, 422, "invalid_value"),
        ({"path": "/api/v1/auth/token"}, 404, "not_found"),
        ({"path": "/api/v1/orders", "query": {"nothing": "1"}}, 400, "unknown_parameter"),
        ({"path": "/api/v1/orders", "query": {"start_date": "soon"}}, 400, "invalid_parameter"),
        ({"path": "/api/v1/orders", "query": {"limit": "5"}}, 422, "invalid_value"),
        ({"path": "/api/v1/orders", "query": {"format": "json"}}, 422, "invalid_value"),
        ({"path": "/api/v1/orders", "format": "json"}, 400, "invalid_parameter"),
        ({"path": "/api/v1/orders", "to": "/etc/passwd"}, 400, "unknown_parameter"),
        ({}, 422, "invalid_value"),
    ],
)
def test_what_cannot_be_exported_starts_nothing(
    caller: StrictClient, fake: FakeDagster, body: dict[str, Any], status: int, code: str
) -> None:
    response = caller.post(EXPORTS, json=body)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (status, code)
    assert fake.runs == {}


def test_the_finished_file_is_given_and_removed(
    caller: StrictClient, warehouse: Warehouse, settings: Settings, golden: int
) -> None:
    job = job_of(ask(caller))
    assert caller.get(f"{EXPORTS}/{job['id']}/file").status_code == 404
    path = finished(warehouse, settings, job, b"a,b\r\n1,2\r\n")
    now = caller.get(f"{EXPORTS}/{job['id']}").json
    assert now is not None
    assert now["data"]["file"]["rows"] == 1
    response = caller.get(now["data"]["links"]["file"])
    assert (response.data, response.mimetype) == (b"a,b\r\n1,2\r\n", "text/csv")
    assert response.headers["Content-Disposition"] == "attachment; filename=orders.csv"
    assert response.headers["Cache-Control"] == "private, no-cache"
    again = caller.get(now["data"]["links"]["file"], headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert job_of(caller.delete(f"{EXPORTS}/{job['id']}"))["file"] is None
    assert not path.exists()
    assert caller.get(f"{EXPORTS}/{job['id']}/file").status_code == 404
    assert caller.delete(f"{EXPORTS}/{job['id']}").status_code == 409


def test_a_file_that_the_clean_up_removed_is_shown_no_more(
    caller: StrictClient, warehouse: Warehouse, settings: Settings, golden: int
) -> None:
    jobs = [job_of(ask(caller)) for _ in range(2)]
    old, new = [finished(warehouse, settings, job, b"a\r\n") for job in jobs]
    now = time.time()
    os.utime(old, (now - 8 * 86_400, now - 8 * 86_400))
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        assert clean_up(connection, settings, now) == 1
    assert (old.exists(), new.exists()) == (False, True)
    listed = caller.get(EXPORTS).json
    assert listed is not None
    assert {job["id"]: job["file"] is not None for job in listed["data"]} == {
        jobs[0]["id"]: False,
        jobs[1]["id"]: True,
    }
    assert caller.get(f"{EXPORTS}/{jobs[0]['id']}/file").status_code == 404


def test_a_caller_has_three_exports_under_way_at_most(
    make_client: Callable[..., StrictClient], fake: FakeDagster, golden: int
) -> None:
    anna, ben = make_client(fake), make_client(fake)
    as_caller(anna, Principal(uuid4(), "anna", READ))
    as_caller(ben, Principal(uuid4(), "ben", READ))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(anna), range(6)))
    assert sorted(answer.status_code for answer in answers) == [202, 202, 202, 429, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("too_many_jobs", "30")
    assert len(fake.runs) == 3
    assert ask(ben).status_code == 202
    # One whose run has ended does not count, though nobody has looked at it since.
    fake.runs["run-1"]["status"] = "FAILURE"
    assert ask(anna).status_code == 202
    assert ask(anna).status_code == 429


def test_without_room_on_the_disk_no_export_begins(
    caller: StrictClient, fake: FakeDagster, golden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.resources.exports.LEAST_FREE_BYTES", 2**62)
    refused = ask(caller)
    assert (refused.status_code, refused.json["code"]) == (503, "exports_unavailable")
    assert fake.runs == {}
    listed = caller.get(EXPORTS).json
    assert listed is not None
    assert listed["data"] == []


def test_an_export_is_canceled_by_its_run(caller: StrictClient, fake: FakeDagster, golden: int) -> None:
    job = job_of(ask(caller))
    assert job_of(caller.delete(f"{EXPORTS}/{job['id']}"))["status"] == "canceled"
    assert fake.runs["run-1"]["status"] == "CANCELED"


def test_nobody_but_its_caller_and_an_admin_sees_an_export(
    make_client: Callable[..., StrictClient],
    fake: FakeDagster,
    warehouse: Warehouse,
    settings: Settings,
    golden: int,
) -> None:
    anna, ben, admin = make_client(fake), make_client(fake), make_client(fake)
    as_caller(anna, Principal(uuid4(), "anna", READ))
    as_caller(ben, Principal(uuid4(), "ben", READ))
    as_caller(admin, Principal(uuid4(), "root", READ | {"admin"}))
    job = job_of(ask(anna))
    assert job["requested_by"] == "api:anna"
    path = finished(warehouse, settings, job, b"a\r\n")
    for address in (f"{EXPORTS}/{job['id']}", f"{EXPORTS}/{job['id']}/file"):
        assert [client.get(address).status_code for client in (anna, ben, admin)] == [200, 404, 200]
    assert ben.delete(f"{EXPORTS}/{job['id']}").status_code == 404
    assert path.exists()
    listed = [client.get(EXPORTS).json for client in (anna, ben, admin)]
    assert [len(found["data"]) for found in listed if found] == [1, 0, 1]


def test_a_file_is_kept_from_a_caller_that_lost_a_region_of_it(
    make_client: Callable[..., StrictClient],
    fake: FakeDagster,
    warehouse: Warehouse,
    settings: Settings,
    golden: int,
) -> None:
    client, anna = make_client(fake), uuid4()
    as_caller(client, Principal(anna, "anna", READ, ("Asia", "Europe")))
    job = job_of(ask(client))
    assert request_of(warehouse, job)["caller"] == {
        "name": "anna", "scopes": ["analytics:read"], "regions": ["Asia", "Europe"],
    }  # fmt: skip
    finished(warehouse, settings, job, b"a\r\n")
    for regions, status in ((("Asia", "Europe"), 200), (None, 200), (("Asia",), 403)):
        as_caller(client, Principal(anna, "anna", READ, regions))
        assert client.get(f"{EXPORTS}/{job['id']}/file").status_code == status


def run(settings: Settings, address: str, regions: list[str] | None, to: Path) -> dict[str, Any]:
    asked = {
        "address": address,
        "format": to.suffix[1:],
        "caller": {"name": "anna", "scopes": ["analytics:read"], "regions": regions},
    }
    return export_job._write(settings, asked, to)


@pytest.mark.parametrize("format", ["csv", "parquet", "arrow"])
def test_the_job_writes_what_the_route_answers_beyond_the_limit_of_streams(
    make_client: Callable[..., StrictClient],
    settings: Settings,
    many_lines: list[Line],
    tmp_path: Path,
    format: str,
) -> None:
    address = f"/api/v1/orders?format={format}"
    limited = settings.model_copy(update={"export_limit_rows": 10})
    to = tmp_path / f"file.{format}"
    result = run(limited, address, None, to)
    answered = make_client().get(address).data
    assert result == {
        "rows": len(many_lines),
        "size_bytes": len(answered),
        "sha256": hashlib.sha256(to.read_bytes()).hexdigest(),
        "build_id": 1,
    }
    assert to.read_bytes() == answered
    assert make_client(export_limit_rows=10).get(address).status_code == 422


def test_the_job_writes_only_the_callers_regions(
    settings: Settings, many_lines: list[Line], tmp_path: Path
) -> None:
    to = tmp_path / "file.csv"
    region = many_lines[0].region
    result = run(settings, "/api/v1/orders?format=csv", [region], to)
    rows = list(csv.DictReader(io.StringIO(to.read_text())))
    assert {row["region"] for row in rows} == {region}
    assert result["rows"] == len(rows) == sum(line.region == region for line in many_lines)
    with pytest.raises(ExportRefused, match="region_not_allowed"):
        run(settings, "/api/v1/orders?region=Nowhere&format=csv", [region], to)


def test_rows_are_counted_in_the_file_itself(tmp_path: Path) -> None:
    table = pa.table({"text": ["a\nb", 'c"d', "e" * 200_000]})
    pq.write_table(table, tmp_path / "x.parquet")
    with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with (tmp_path / "x.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([value] for value in table["text"].to_pylist())])
    assert [count_rows(tmp_path / f"x.{name}", name) for name in ("csv", "parquet", "arrow")] == [3, 3, 3]


def test_an_export_of_another_is_not_found(caller: StrictClient) -> None:
    assert caller.get(f"{EXPORTS}/{UUID(int=0)}").status_code == 404
