"""An API with accounts, its callers, and a watch over all that they could change."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from psycopg.types.json import Jsonb

from pipeline.findings.keeping import keep_report
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import form, job_of
from tests.api.security.state import Watch
from tests.conftest import Warehouse
from tests.conftest import warehouse as other_warehouse  # noqa: F401  (a second database, as a fixture)


@dataclass(frozen=True)
class Jobs:
    """What the variables of the routes stand for."""

    refresh_id: str
    import_id: str
    export_id: str
    order_id: str = "1003"
    build_id: str = "1"
    batch_id: str = "1"
    code: str = "not_found"
    name: str = "start.js"


@pytest.fixture
def service(make_client: Callable[..., StrictClient], fake: FakeDagster) -> Callable[..., StrictClient]:
    """A maker of clients of an API with accounts, where nobody is limited in how often it asks."""

    def make(**changed: Any) -> StrictClient:
        return make_client(fake, **{"accounts": True, "rate_limit": "1000000/minute"} | changed)

    return make


@pytest.fixture
def watch(warehouse: Warehouse, fake: FakeDagster) -> Watch:
    """The state of the test's warehouse, folders and Dagster."""
    return Watch(warehouse, fake)


@pytest.fixture
def make_jobs(warehouse: Warehouse, accounts: Accounts, golden: int) -> Callable[[FlaskClient, str], Jobs]:
    """Starts a refresh and an import as an admin, and an export with its file as an account."""
    folder = warehouse.settings.home / "dbt_docs"
    folder.mkdir()
    (folder / "index.html").write_text("<html></html>")
    keep_report(warehouse.settings.findings_folder, 1, "<html></html>")

    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "insert into raw.batches (batch_id, call_id, source, mode, status, file_name, requested_by)"
            " values (1, 1, 'default', 'append', 'landed', 'x.csv', 'cli')"
        )

    def make(client: FlaskClient, exporter: str) -> Jobs:
        root = accounts.add("root-of-jobs", "admin")
        refresh = job_of(client.post("/refresh", headers=root))
        imported = job_of(client.post("/api/v1/imports", headers=root, **form(("a.csv", b"Order ID\n1\n"))))
        export = job_of(
            client.post("/api/v1/exports", headers=accounts.token(exporter), json={"path": "/api/v1/orders"})
        )
        finish_export(warehouse, export["id"], b"order_id\r\n1001\r\n")
        return Jobs(refresh["id"], imported["id"], export["id"])

    return make


def finish_export(warehouse: Warehouse, export_id: str, data: bytes) -> None:
    """Leave behind what the job of an export in CSV leaves when it ends well."""
    folder = warehouse.settings.exports_folder
    folder.mkdir(exist_ok=True)
    (folder / f"{export_id}.csv").write_bytes(data)
    result = {"rows": 1, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "build_id": 1}
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "update app.jobs set status = 'succeeded', result = %s where job_id = %s",
            (Jsonb(result), export_id),
        )
