"""dbt, as it runs in our process."""

import sys

import pytest

from pipeline.builds.dbt_runner import dbt_home, run_dbt
from pipeline.settings import Settings
from tests.pipeline.builds.conftest import Workbench


def test_dbt_writes_down_nothing_of_our_command_line(
    workbench: Workbench, dbt_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = ["tillhouse", "load", "https://me:topsecret@shop.test/sales.csv"]
    monkeypatch.setattr(sys, "argv", ours)
    results = dbt_home(dbt_settings) / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    run_dbt(["compile", "--select", "stg_order_lines"], dbt_settings, workbench.warehouse.urls.owner)
    written = results.read_text(encoding="utf-8")
    assert "dbt compile --select stg_order_lines" in written
    assert "topsecret" not in written
    assert sys.argv is ours
