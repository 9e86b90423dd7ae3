"""The lineage page: what it shows, and when it is made."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.builds import lineage
from pipeline.builds.dbt_runner import DbtError, dbt_home
from pipeline.builds.lineage import lineage_page, renew_lineage
from pipeline.settings import Settings
from tests.pipeline.builds.conftest import Workbench


class StandInDbt:
    """Writes a page that names the call, or fails."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False

    def __call__(self, command: Sequence[str], settings: Settings, owner_url: str) -> list[object]:
        self.calls += 1
        if self.fails:
            raise DbtError("no")
        page = dbt_home(settings) / "target" / "static_index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"page {self.calls}")
        return []


@pytest.fixture
def dbt(monkeypatch: pytest.MonkeyPatch) -> StandInDbt:
    stand_in = StandInDbt()
    monkeypatch.setattr(lineage, "run_dbt", stand_in)
    return stand_in


def test_the_page_describes_every_column_that_it_shows(
    workbench: Workbench, dbt_settings: Settings, tmp_path: Path
) -> None:
    workbench.land("Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\nO1,P1,2024-01-01,1,1\n")
    workbench.build()
    settings = dbt_settings.model_copy(update={"home": tmp_path / "home"})
    assert renew_lineage(settings, workbench.warehouse.urls.owner)
    target = dbt_home(settings) / "target"
    manifest, catalog = (
        json.loads((target / f"{name}.json").read_text()) for name in ("manifest", "catalog")
    )
    undescribed = [
        f"{kind} {table['metadata']['name']}.{column}"
        for kind in ("nodes", "sources")
        for unique_id, table in catalog[kind].items()
        for column in table["columns"]
        if not manifest[kind][unique_id]["columns"].get(column, {}).get("description")
    ]
    assert undescribed == []
    shown = {table["metadata"]["name"] for kind in ("nodes", "sources") for table in catalog[kind].values()}
    assert {"fct_order_lines", "revenue_daily", "builds", "build_batches"} <= shown
    assert [item["unique_id"] for item in manifest["sources"].values() if not item["description"]] == []
    page = lineage_page(settings).read_text(encoding="utf-8")
    for name in ("exposure.tillhouse.api_revenue_by_region", "exposure.tillhouse.dashboard"):
        assert name in page


def test_the_page_is_made_when_the_project_has_changed_and_only_then(
    home: Path, dbt: StandInDbt, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=home)
    assert renew_lineage(settings, "none")
    assert not renew_lineage(settings, "none")
    assert (lineage_page(settings).read_text(), dbt.calls) == ("page 1", 1)
    monkeypatch.setattr(lineage, "project_hash", lambda: "another")
    assert renew_lineage(settings, "none")
    assert not renew_lineage(settings, "none")
    assert (lineage_page(settings).read_text(), dbt.calls) == ("page 2", 2)


def test_a_page_that_was_lost_is_made_again(home: Path, dbt: StandInDbt) -> None:
    settings = Settings(home=home)
    renew_lineage(settings, "none")
    lineage_page(settings).unlink()
    assert renew_lineage(settings, "none")
    assert lineage_page(settings).read_text() == "page 2"


def test_a_page_that_cannot_be_made_leaves_the_one_before_and_is_tried_again(
    home: Path, dbt: StandInDbt, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=home)
    renew_lineage(settings, "none")
    monkeypatch.setattr(lineage, "project_hash", lambda: "another")
    dbt.fails = True
    with pytest.raises(DbtError):
        renew_lineage(settings, "none")
    assert lineage_page(settings).read_text() == "page 1"
    dbt.fails = False
    assert renew_lineage(settings, "none")
    assert lineage_page(settings).read_text() == "page 3"
