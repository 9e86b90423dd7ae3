"""Runs that a crash left over, and jobs that never got one."""

import time

import dagster as dg
from psycopg import Connection

from pipeline.assets.session import JOB_ID_TAG
from pipeline.jobs.rows import finish
from pipeline.jobs.running import close_leftovers, never_begun
from pipeline.settings import Settings, get_settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.locks import lock_askers

LEFT_OVER = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING)

# A run asks for the refresh lock first of all, some seconds after it was started.
ASKS_WITHIN_SECONDS = 30
# Dagster's own mark on a failed run that it is about to try again.
WILL_RETRY_TAG = "dagster/will_retry"
NEVER_BEGUN = "It never began: it got no run, or its run ended before it could begin. Ask for it again."


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
        close_leftovers(db, [run.run_id for run in runs])
        close_jobs_without_run(instance, db)
    return len(runs)


def close_jobs_without_run(instance: dg.DagsterInstance, connection: Connection) -> int:
    """Close the jobs that wait for a run that will not come; returns how many.

    The service that put them on record may have ended before it could launch them. Their files stay
    for a day, as a launch whose answer was lost may still arrive.
    """
    return sum(
        finish(connection, job_id, run_id, "failed", NEVER_BEGUN, {"detail": NEVER_BEGUN})
        for job_id, run_id in never_begun(connection)
        if not _has_run(instance, job_id)
    )


def _has_run(instance: dg.DagsterInstance, job_id: str) -> bool:
    newest = instance.get_runs(dg.RunsFilter(tags={JOB_ID_TAG: job_id}), limit=1)
    return any(not run.is_finished or run.tags.get(WILL_RETRY_TAG) == "true" for run in newest)


@dg.sensor(
    name="leftover_runs",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def leftover_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Close the runs whose process died: until then they would hold up every other refresh."""
    closed = close_leftover_runs(get_settings(), ASKS_WITHIN_SECONDS)
    return dg.SkipReason(f"{closed} run(s) whose process had ended were closed.")
