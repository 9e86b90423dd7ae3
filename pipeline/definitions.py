"""Dagster's entry point: it only wires."""

import dagster as dg

from pipeline.assets.alerts import alerts
from pipeline.assets.cleanup import cleanup, daily_cleanup
from pipeline.assets.dbt_models import dbt_models, plan_build
from pipeline.assets.exports import export
from pipeline.assets.findings import findings
from pipeline.assets.imports import check_import
from pipeline.assets.jobs import daily_refresh, inbox, refresh, weekly_full_build
from pipeline.assets.landing import order_lines
from pipeline.assets.lifetime import lifetime_value_fits
from pipeline.assets.published import lineage_docs, publish_build
from pipeline.assets.recovery import leftover_runs
from pipeline.assets.session import refresh_request

defs = dg.Definitions(
    assets=[order_lines, plan_build, dbt_models, publish_build, lifetime_value_fits, lineage_docs, findings],
    jobs=[refresh, check_import, export, cleanup],
    schedules=[daily_refresh, weekly_full_build, daily_cleanup],
    sensors=[inbox, leftover_runs, alerts],
    resources={"refresh_request": refresh_request},
)
