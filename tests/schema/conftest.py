"""The tests of the schema's pages use the builds' workbench."""

from tests.pipeline.builds.conftest import dbt_settings, recorded_dbt, workbench

__all__ = ["dbt_settings", "recorded_dbt", "workbench"]
