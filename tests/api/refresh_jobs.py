"""Refreshes as jobs, before a stand-in for Dagster: what their tests share."""

from typing import Any

from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.conftest import Warehouse


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
        statement = f"update app.jobs set {assignment} where job_id = %s"
        connection.execute(statement.encode(), (job["id"],))


def begun_by(warehouse: Warehouse, requested_by: str, run_id: str) -> dict[str, Any]:
    """A refresh that the pipeline put on record itself, an hour ago."""
    with connect(warehouse.urls.owner) as connection:
        made = connection.execute(
            "insert into app.jobs (kind, status, requested_by, request, dagster_run_id, requested_at)"
            " values ('refresh', 'running', %s, '{\"full\": false, \"mode\": null, \"sources\": null}', %s,"
            " now() - interval '1 hour') returning job_id",
            (requested_by, run_id),
        ).fetchone()
    assert made is not None
    return {"id": str(made[0])}


def died(warehouse: Warehouse, fake: FakeDagster, job: dict[str, Any]) -> None:
    """The job's run began, and its process died."""
    fake.set_status("FAILURE")
    set_row(warehouse, job, "status = 'running', requested_at = now() - interval '1 hour'")
