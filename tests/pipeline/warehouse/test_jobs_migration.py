"""Refreshes that are on record already become jobs."""

from importlib import import_module

from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

VERSIONS = "pipeline.warehouse.migrations.versions"


def test_a_refresh_of_before_is_a_job_that_an_equal_request_can_join(warehouse: Warehouse) -> None:
    before = [text for text in import_module(f"{VERSIONS}.0001_spine").STATEMENTS if "app.refreshes" in text]
    with connect(warehouse.urls.owner) as connection:
        for statement in (
            "drop view core.quarantine",
            "drop schema app cascade",
            "create schema app",
            *before,
        ):
            connection.execute(statement.encode())
        connection.execute(
            "insert into app.refreshes (status, requested_by, is_full, mode, sources, build_id) values"
            " ('succeeded', 'cli', true, 'append', '{web}', 7), ('queued', 'api', false, null, null, null)"
        )
        for statement in import_module(f"{VERSIONS}.0003_jobs").STATEMENTS:
            connection.execute(statement.encode())
        rows = connection.execute(
            "select kind, status, requested_by, request, build_id from app.jobs order by status desc"
        ).fetchall()
    assert rows == [
        ("refresh", "succeeded", "cli", {"full": True, "mode": "append", "sources": ["web"]}, 7),
        ("refresh", "queued", "api", {"full": False, "mode": None, "sources": None}, None),
    ]
