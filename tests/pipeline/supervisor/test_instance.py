"""Dagster's instance file."""

import os
import stat
from pathlib import Path

import pytest

from pipeline.supervisor.instance import prepare_instance
from tests.conftest import Warehouse


def test_dagster_loads_the_instance_file(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = prepare_instance(warehouse.settings, warehouse.urls)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    from dagster import DagsterInstance

    with DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        assert instance.get_runs_count() == 0
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 0
        assert instance.get_settings("run_retries")["retry_on_asset_or_op_failure"] is False
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.tag_concurrency_limits == [
            {"key": "tillhouse/job", "value": job, "limit": limit}
            for job, limit in (("refresh", 1), ("check_import", 2), ("export", 2))
        ]


def test_only_our_user_can_enter_the_folders_of_runs_and_logs(warehouse: Warehouse) -> None:
    prepare_instance(warehouse.settings, warehouse.urls)
    for name in ("dagster", "dagster/artifacts", "logs", "logs/compute", "dbt"):
        assert stat.S_IMODE((warehouse.settings.home / name).stat().st_mode) == 0o700, name


def test_the_instance_file_is_left_alone_when_nothing_changed(warehouse: Warehouse) -> None:
    file = Path(prepare_instance(warehouse.settings, warehouse.urls)["DAGSTER_HOME"]) / "dagster.yaml"
    os.utime(file, (1, 1))
    prepare_instance(warehouse.settings, warehouse.urls)
    assert file.stat().st_mtime == 1
