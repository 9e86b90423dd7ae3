"""Loading what a dry run has checked, without sending it again."""

import shutil
from typing import Any
from uuid import uuid4

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import IMPORTS, LINES, form, job_of, send, stored
from tests.conftest import Warehouse


def checked(caller: StrictClient, warehouse: Warehouse, query: str = "", **body: Any) -> str:
    """A dry run that has ended well."""
    sent = (
        caller.post(f"{IMPORTS}?dry_run=true{query}", **body)
        if body
        else send(caller, f"?dry_run=true{query}")
    )
    job_id: str = job_of(sent)["id"]
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute(
            "update app.jobs set status = 'succeeded', finished_at = now() where job_id = %s", (job_id,)
        )
    return job_id


def test_the_same_files_are_loaded_in_the_way_that_was_asked_for(
    caller: StrictClient, fake: FakeDagster, settings: Settings, warehouse: Warehouse
) -> None:
    dry = checked(
        caller, warehouse, "&source=web&mode=overwrite", **form(("b.csv", LINES), ("a.csv", LINES * 2))
    )
    response = caller.post(f"{IMPORTS}/{dry}/load")
    job = job_of(response)
    assert response.headers["Location"] == f"{IMPORTS}/{job['id']}"
    assert (job["dry_run"], job["source"], job["mode"]) == (False, "web", "overwrite")
    assert [(file["name"], file["size_bytes"]) for file in job["files"]] == [
        ("b.csv", len(LINES)),
        ("a.csv", 2 * len(LINES)),
    ]
    folder = settings.uploads_folder / job["id"]
    assert [(folder / name).read_bytes() for name in ("1.csv", "2.csv")] == [LINES, LINES * 2]
    run = fake.runs["run-2"]
    assert run["selector"]["jobName"] == "refresh"
    assert run["config"]["resources"]["refresh_request"]["config"] == {
        "files": [str(folder / "1.csv"), str(folder / "2.csv")],
        "file_names": ["b.csv", "a.csv"],
        "source": "web",
        "feed": None,
        "mode": "overwrite",
        "duplicate_rows": None,
        "force": False,
        "requested_by": "api",
    }


def test_the_same_key_gives_the_same_import(
    caller: StrictClient, fake: FakeDagster, settings: Settings, warehouse: Warehouse
) -> None:
    dry = checked(caller, warehouse)
    key = {"Idempotency-Key": "load it"}
    first = caller.post(f"{IMPORTS}/{dry}/load", headers=key)
    again = caller.post(f"{IMPORTS}/{dry}/load", headers=key)
    assert job_of(first)["id"] == job_of(again)["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert stored(settings.uploads_folder) == sorted(
        [dry, f"{dry}/1.csv", job_of(first)["id"], f"{job_of(first)['id']}/1.csv"]
    )


def test_what_was_not_checked_to_its_end_is_not_loaded(caller: StrictClient, warehouse: Warehouse) -> None:
    unfinished = job_of(send(caller, "?dry_run=true"))["id"]
    loaded = job_of(send(caller))["id"]
    for job_id in (unfinished, loaded):
        response = caller.post(f"{IMPORTS}/{job_id}/load")
        assert response.json is not None
        assert (response.status_code, response.json["code"]) == (409, "not_checked")
    response = caller.post(f"{IMPORTS}/{uuid4()}/load")
    assert response.status_code == 404


def test_files_that_are_gone_must_be_sent_again(
    caller: StrictClient, settings: Settings, warehouse: Warehouse
) -> None:
    dry = checked(caller, warehouse)
    shutil.rmtree(settings.uploads_folder / dry)
    response = caller.post(f"{IMPORTS}/{dry}/load")
    assert response.json is not None
    assert (response.status_code, response.json["detail"]) == (
        404,
        f"The files of {dry} are not kept any more: upload them again.",
    )
    assert stored(settings.uploads_folder) == []


def test_without_dagster_the_checked_files_stay(
    caller: StrictClient, fake: FakeDagster, settings: Settings, warehouse: Warehouse
) -> None:
    dry = checked(caller, warehouse)
    fake.is_down = True
    assert caller.post(f"{IMPORTS}/{dry}/load").status_code == 503
    assert stored(settings.uploads_folder) == [dry, f"{dry}/1.csv"]
