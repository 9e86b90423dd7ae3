"""What one caller was answered is never another's: ETags, kept answers, cursors, and exported files."""

import csv
import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from werkzeug.test import TestResponse

from pipeline.assets import exports as export_job
from pipeline.assets.exports import ExportRefused
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.import_jobs import job_of
from tests.api.published import Line
from tests.api.security.conftest import finish_export
from tests.api.security.regional import QUESTIONS, address, lines_of_regions
from tests.api.security.state import Watch
from tests.api.test_kept_answers import redis_url  # noqa: F401  (a fixture)
from tests.conftest import Warehouse

MakeService = Callable[..., StrictClient]
EXPORTS = "/api/v1/exports"
WHOLE, ASIA = "of everything", "of Asia"


@pytest.fixture
def lines(publish_lines: Callable[[list[Line]], int]) -> list[Line]:
    """Lines of three regions are published."""
    made = lines_of_regions()
    publish_lines(made)
    return made


@pytest.fixture(autouse=True)
def many_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller may have many exports under way: here no job ends."""
    monkeypatch.setattr("api.resources.exports.MOST_IN_FLIGHT", 1000)


def code(response: TestResponse) -> str | None:
    return response.json["code"] if response.status_code >= 400 and response.json else None


def check_never_shared(client: StrictClient, accounts: Accounts) -> None:
    """Two callers ask the same questions one after the other, each knowing the other's ETags."""
    callers = {
        WHOLE: accounts.add("whole"),
        ASIA: accounts.add("narrow", regions=("Asia",)),
        "of two": accounts.add("wide", regions=("Asia", "Europe")),
    }
    paths = [
        path
        for path in QUESTIONS
        if not path.startswith(("/api/v1/products", "/api/v1/customers", "/api/v1/orders/"))
    ]
    for path in paths:
        for more in ({}, {"explain": "true"}, {"format": "csv"}, {"format": "arrow"}):
            question = address(path, "", **more)
            first = {name: client.get(question, headers=headers) for name, headers in callers.items()}
            tags = {name: answer.headers["ETag"] for name, answer in first.items()}
            assert len(set(tags.values())) == len(callers), question
            assert len({answer.data for answer in first.values()}) == len(callers), question
            for name, headers in callers.items():
                others = ", ".join(tag for owner, tag in tags.items() if owner != name)
                again = client.get(question, headers=headers | {"If-None-Match": others})
                assert (again.status_code, again.data) == (200, first[name].data), question
                own = client.get(question, headers=headers | {"If-None-Match": tags[name]})
                assert own.status_code == 304
                assert {"private", "no-cache"} == set(first[name].headers["Cache-Control"].split(", "))
                assert "Authorization" in first[name].vary


def test_kept_answers_and_etags_never_cross_callers(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    check_never_shared(service(), accounts)


def test_kept_answers_never_cross_callers_in_a_shared_redis(
    service: MakeService,
    accounts: Accounts,
    lines: list[Line],
    redis_url: str,  # noqa: F811
) -> None:
    check_never_shared(service(redis_url=redis_url), accounts)


def test_any_etag_is_no_way_around_a_limit(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    client, headers = service(), accounts.add("narrow", regions=("Asia",))
    for path in ("/api/v1/customers/segments", "/api/v1/revenue/anomalies", "/api/v1/builds/1/changes"):
        for tag in ("*", '"x"'):
            refused = client.get(path, headers=headers | {"If-None-Match": tag})
            assert (refused.status_code, code(refused)) == (403, "not_regional")
    refused = client.get("/api/v1/revenue?region=Europe", headers=headers | {"If-None-Match": "*"})
    assert (refused.status_code, code(refused)) == (403, "region_not_allowed")


def test_an_account_whose_limits_changed_gets_no_older_answer(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    from pipeline.accounts.principals import set_regions

    client, headers = service(), accounts.add("anna")
    whole = client.get("/api/v1/revenue/by-region", headers=headers)
    accounts.change(set_regions, "anna", ("Asia",))
    narrowed = client.get(
        "/api/v1/revenue/by-region", headers=headers | {"If-None-Match": whole.headers["ETag"]}
    )
    assert narrowed.status_code == 200
    assert [row["region"] for row in narrowed.json["data"]] == ["Asia"]  # type: ignore[index]


def test_a_cursor_of_another_caller_leads_nowhere(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    client = service()
    whole, narrow = accounts.add("whole"), accounts.add("narrow", regions=("Asia",))
    for path in ("/api/v1/orders", "/api/v1/revenue/by-product", "/api/v1/products/margins"):
        page = client.get(f"{path}?limit=3", headers=whole).json
        assert page is not None
        taken = client.get(f"{path}?limit=3&cursor={page['page']['next_cursor']}", headers=narrow)
        assert (taken.status_code, code(taken)) == (400, "invalid_cursor")


def asked_by(warehouse: Warehouse, job: dict[str, Any]) -> dict[str, Any]:
    with connect(warehouse.urls.owner) as connection:
        row = connection.execute("select request from app.jobs where job_id = %s", (job["id"],)).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def exported(warehouse: Warehouse, job: dict[str, Any], folder: Path) -> bytes:
    """The file that the job writes."""
    file = folder / f"file.{job['format']}"
    export_job._write(warehouse.settings, asked_by(warehouse, job), file)
    return file.read_bytes()


def column(file: bytes, name: str) -> set[str]:
    return {row[name] for row in csv.DictReader(io.StringIO(file.decode(), newline=""))}


def test_an_exported_file_has_what_its_caller_may_read(
    service: MakeService, accounts: Accounts, warehouse: Warehouse, lines: list[Line], tmp_path: Path
) -> None:
    client, narrow = service(), accounts.add("narrow", regions=("Asia",))
    whole = accounts.add("whole")
    for path in ("/api/v1/orders", "/api/v1/revenue/by-product", "/api/v1/customers/summary"):
        for format in ("csv", "parquet", "arrow"):
            job = job_of(client.post(EXPORTS, headers=narrow, json={"path": path, "format": format}))
            file = exported(warehouse, job, tmp_path)
            assert file == client.get(f"{path}?format={format}", headers=narrow).data
            assert file != client.get(f"{path}?format={format}", headers=whole).data


def test_what_knows_no_regions_is_not_exported_for_limited_callers(
    service: MakeService, accounts: Accounts, watch: Watch, golden: int
) -> None:
    client, narrow = service(), accounts.add("narrow", regions=("Asia",))
    before = watch.state()
    for name in (
        "customers/segments", "customers/cohorts", "customers/lifetime-value", "revenue/anomalies",
        "builds/1/changes",
    ):  # fmt: skip
        refused = client.post(EXPORTS, headers=narrow, json={"path": f"/api/v1/{name}"})
        assert (refused.status_code, code(refused)) == (403, "not_regional")
        for path in (f"/api/v1/{name}?region=Asia", f"/api/v1//{name}", f"/api/v1/{name}/", f"/{name}", name):
            refused = client.post(EXPORTS, headers=narrow, json={"path": path})
            assert (refused.status_code, code(refused)) == (404, "not_found"), path
    assert watch.state() == before


def test_no_export_leads_around_the_limit_to_regions(
    service: MakeService, accounts: Accounts, warehouse: Warehouse, lines: list[Line], tmp_path: Path
) -> None:
    client, narrow = service(), accounts.add("narrow", regions=("Asia",))
    bodies: tuple[dict[str, Any], ...] = (
        {"path": "/api/v1/orders", "query": {"region": "Europe"}},
        {"path": "/api/v1/orders", "query": {"region": ["Asia", "Europe"]}},
        {"path": "/api/v1/orders/edge?region=Europe"},
        {"path": "/api/v1/orders/edge?region=Europe&source="},
        {"path": "/api/v1/orders/edge#", "query": {"region": "Europe"}},
        {"path": "/api/v1/orders/..%2Fcustomers%2Fsegments"},
        {"path": "/api/v1/orders/../customers/segments"},
    )
    for body in bodies:
        response = client.post(EXPORTS, headers=narrow, json=body)
        if response.status_code != 202:
            assert response.status_code in (400, 403, 404), body
            continue
        # What was not refused at once is refused by its job, or has the caller's own regions.
        with suppress(ExportRefused):
            assert column(exported(warehouse, job_of(response), tmp_path), "region") <= {"Asia"}, body


def test_an_exported_order_is_the_one_that_was_named(
    service: MakeService,
    accounts: Accounts,
    warehouse: Warehouse,
    publish_lines: Callable[[list[Line]], int],
    tmp_path: Path,
) -> None:
    order_ids = ("A", "A#1", "A?1", "A%231", "A&format=json", "A B", "Ä/1")
    line = lines_of_regions()[0]
    publish_lines([Line(**vars(line) | {"order_id": order_id}) for order_id in order_ids])
    client, headers = service(), accounts.add("whole")
    wrong = {}
    for order_id in order_ids:
        response = client.post(EXPORTS, headers=headers, json={"path": f"/api/v1/orders/{order_id}"})
        found: Any = response.status_code
        if found == 202:
            found = column(exported(warehouse, job_of(response), tmp_path), "order_id")
        if found != {order_id}:
            wrong[order_id] = found
    assert wrong == {}


def test_nobody_gets_a_file_through_the_name_of_another(
    service: MakeService, accounts: Accounts, warehouse: Warehouse, golden: int
) -> None:
    client, owner, narrow = service(), accounts.add("owner"), accounts.add("narrow", regions=("Asia",))
    job = job_of(client.post(EXPORTS, headers=owner, json={"path": "/api/v1/orders"}))
    finish_export(warehouse, job["id"], b"secret\r\n")
    tag = client.get(f"{EXPORTS}/{job['id']}/file", headers=owner).headers["ETag"]
    for given in ({"If-None-Match": tag}, {"If-None-Match": "*"}, {"If-Match": tag}, {"Range": "bytes=0-3"}):
        refused = client.get(f"{EXPORTS}/{job['id']}/file", headers=narrow | given)
        assert (refused.status_code, code(refused)) == (404, "not_found")
    # Nor when the job is made to look like the other's.
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "update app.jobs set principal_id ="
            " (select principal_id from app.principals where name = 'narrow'),"
            " request = jsonb_set(request, '{caller,regions}', %s)",
            (Jsonb(["Asia", "Europe"]),),
        )
    refused = client.get(f"{EXPORTS}/{job['id']}/file", headers=narrow)
    assert (refused.status_code, code(refused)) == (403, "region_not_allowed")
