"""Dagster's entry point: it only wires."""

import dagster as dg

from pipeline.assets.dbt_models import dbt_models, plan_build
from pipeline.assets.jobs import daily_refresh, inbox, refresh, weekly_full_build
from pipeline.assets.landing import order_lines
from pipeline.assets.published import lineage_docs, publish_build
from pipeline.assets.recovery import leftover_runs
from pipeline.assets.session import refresh_request

defs = dg.Definitions(
    assets=[order_lines, plan_build, dbt_models, publish_build, lineage_docs],
    jobs=[refresh],
    schedules=[daily_refresh, weekly_full_build],
    sensors=[inbox, leftover_runs],
    resources={"refresh_request": refresh_request},
)
