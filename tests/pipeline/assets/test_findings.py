"""The findings report that a refresh leaves behind."""

import time
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from pipeline.assets.cleanup import clean_up
from pipeline.assets.findings import findings
from pipeline.findings.keeping import KEPT, keep_report, kept_reports
from pipeline.warehouse.connect import connect
from tests.api.published import golden_lines, publish
from tests.conftest import Warehouse


def metadata_of(warehouse: Warehouse) -> dict[str, Any]:
    """What the asset tells of itself."""
    resources = {"refresh_request": SimpleNamespace(settings=warehouse.settings)}
    with dg.build_asset_context(resources=resources) as context:
        result = findings(context)
    assert isinstance(result, dg.MaterializeResult)
    return dict(result.metadata or {})


@pytest.fixture
def golden(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, golden_lines())


@pytest.mark.usefixtures("golden")
def test_the_report_of_the_last_whole_month_is_kept_under_the_build(warehouse: Warehouse) -> None:
    told = metadata_of(warehouse)
    assert told.pop("seconds") >= 0
    assert told == {"is_written": True, "build_id": 1, "period": "2024-04-01 to 2024-04-30"}
    [report] = kept_reports(warehouse.settings.findings_folder)
    assert (report.build_id, "Findings: April 2024" in report.path.read_text()) == (1, True)


def test_without_numbers_the_refresh_goes_on_and_says_why_there_is_none(warehouse: Warehouse) -> None:
    told = metadata_of(warehouse)
    assert told["is_written"] is False
    assert told["error"].startswith("QueryError: No numbers are published yet")


@pytest.mark.usefixtures("golden")
def test_a_folder_that_cannot_be_written_fails_no_refresh(warehouse: Warehouse) -> None:
    warehouse.settings.findings_folder.write_text("in the way")
    told = metadata_of(warehouse)
    assert told["is_written"] is False
    assert told["error"].startswith("FileExistsError")


def test_the_cleanup_leaves_the_newest_builds_reports(warehouse: Warehouse) -> None:
    folder = warehouse.settings.findings_folder
    for build_id in range(1, KEPT + 3):
        keep_report(folder, build_id, "x")
    (folder / ".build-crashed.part").write_text("x")
    now = time.time()
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        assert clean_up(connection, warehouse.settings, now) == 2
        assert [report.build_id for report in kept_reports(folder)] == list(range(KEPT + 2, 2, -1))
        assert clean_up(connection, warehouse.settings, now + 86_401) == 1
    assert not (folder / ".build-crashed.part").exists()
