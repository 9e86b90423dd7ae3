"""Runs that a crash left over."""

import dagster as dg
from psycopg import Connection

from pipeline.builds import refresh_log
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.locks import REFRESH_LOCK

LEFT_OVER = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING)


def close_leftover_runs(settings: Settings) -> int:
    """Report as failed the runs that no process works on any more; returns how many.

    To be called when the workers are surely gone. A run of the command line, which works in
    a process of its own, is left alone while it holds the refresh lock.
    """
    with dg.DagsterInstance.get() as instance, connect(database_urls(settings).owner, autocommit=True) as db:
        working = _run_of_lock_holder(db)
        runs = [
            run for run in instance.get_runs(dg.RunsFilter(statuses=list(LEFT_OVER))) if run.run_id != working
        ]
        for run in runs:
            instance.report_run_failed(run, "The process that worked on this run ended.")
        refresh_log.close_leftovers(db, [run.run_id for run in runs])
    return len(runs)


def _run_of_lock_holder(connection: Connection) -> str | None:
    """The run of the refresh that is under way, if some living process holds the lock."""
    held = connection.execute(
        """
        select 1 from pg_locks
        where locktype = 'advisory' and objid = %s and granted and pid <> pg_backend_pid()
            and database = (select oid from pg_database where datname = current_database())
        """,
        (REFRESH_LOCK,),
    ).fetchone()
    if held is None:
        return None
    row = connection.execute(
        "select dagster_run_id from app.refreshes where status = 'running' order by started_at desc limit 1"
    ).fetchone()
    return None if row is None else row[0]
