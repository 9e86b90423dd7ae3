"""Runs that a crash left over."""

import time

import dagster as dg

from pipeline.builds import job_log
from pipeline.settings import Settings, get_settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.locks import lock_askers

LEFT_OVER = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING)

# A run asks for the refresh lock first of all, some seconds after it was started.
ASKS_WITHIN_SECONDS = 30


def close_leftover_runs(settings: Settings, grace_seconds: float = 0) -> int:
    """Report as failed the runs that no process works on any more; returns how many.

    A living run holds the refresh lock or waits for it, whoever started it. Without a grace,
    workers that have not come so far yet must surely be gone.
    """
    with dg.DagsterInstance.get() as instance, connect(database_urls(settings).owner, autocommit=True) as db:
        records = instance.get_run_records(dg.RunsFilter(statuses=list(LEFT_OVER)))
        alive = lock_askers(db)
        latest = time.time() - grace_seconds
        runs = [
            record.dagster_run
            for record in records
            if record.dagster_run.run_id not in alive
            and (record.start_time or record.create_timestamp.timestamp()) <= latest
        ]
        for run in runs:
            instance.report_run_failed(run, "The process that worked on this run ended.")
        job_log.close_leftovers(db, [run.run_id for run in runs])
    return len(runs)


@dg.sensor(
    name="leftover_runs",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def leftover_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Close the runs whose process died: until then they would hold up every other refresh."""
    closed = close_leftover_runs(get_settings(), ASKS_WITHIN_SECONDS)
    return dg.SkipReason(f"{closed} run(s) whose process had ended were closed.")
