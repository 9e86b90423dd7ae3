"""The workbench of the builds' tests."""

from tests.pipeline.builds.conftest import dbt_settings, recorded_dbt, workbench

__all__ = ["dbt_settings", "recorded_dbt", "workbench"]
