"""The job ``cleanup``: removes what nobody will ask for any more."""

import shutil
import time
from pathlib import Path
from typing import LiteralString

import dagster as dg
from psycopg import Connection

from pipeline.findings.keeping import outdated_reports
from pipeline.jobs.rows import IN_FLIGHT
from pipeline.landing.originals import kept_files
from pipeline.settings import Settings, get_settings
from pipeline.warehouse.connect import connect, database_urls

KEPT_DAYS = 7
_DAY_SECONDS = 86_400

# What is removed from the tables, and after how many days. A job goes when nothing names it any more.
_AGES: tuple[LiteralString, ...] = (
    """
    delete from app.import_rejects
    using app.jobs
    where jobs.job_id = import_rejects.job_id
        and jobs.finished_at < to_timestamp(%(now)s) - interval '7 days'
    """,
    "delete from app.idempotency_keys where created_at < to_timestamp(%(now)s) - interval '7 days'",
    """
    delete from app.alert_deliveries
    using app.alerts
    where alerts.alert_id = alert_deliveries.alert_id
        and alerts.raised_at < to_timestamp(%(now)s) - interval '90 days'
    """,
    "delete from app.alerts where raised_at < to_timestamp(%(now)s) - interval '90 days'",
    """
    delete from app.jobs
    where finished_at < to_timestamp(%(now)s) - interval '400 days'
        and not exists (select 1 from app.idempotency_keys where idempotency_keys.job_id = jobs.job_id)
    """,
    # By the clock that guards them.
    "delete from app.audit where at < now() - interval '400 days'",
)


@dg.op
def remove_leftovers(context: dg.OpExecutionContext) -> None:
    """Remove uploads that no job needs, old exports and findings, and old records."""
    settings = get_settings()
    with connect(database_urls(settings).owner, autocommit=True) as connection:
        removed = clean_up(connection, settings, time.time())
    context.log.info(f"{removed} folder(s) and file(s) removed.")


@dg.job(name="cleanup", executor_def=dg.in_process_executor)
def cleanup() -> None:
    """Remove leftovers."""
    remove_leftovers()


daily_cleanup = dg.ScheduleDefinition(
    name="daily_cleanup",
    job=cleanup,
    cron_schedule="30 4 * * *",
    execution_timezone=get_settings().time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


def clean_up(connection: Connection, settings: Settings, now: float) -> int:
    """Remove leftovers and old records; returns how many folders and files. ``now`` is Unix time.

    An upload of the last day may still be under way, before it has a job.
    """
    for statement in _AGES:
        connection.execute(statement, {"now": now})
    rows = connection.execute("select job_id from app.jobs where status = any(%s)", (list(IN_FLIGHT),))
    in_flight = {str(row[0]) for row in rows.fetchall()}
    uploads = _older(settings.uploads_folder, now - _DAY_SECONDS)
    exports = _older(settings.exports_folder, now - KEPT_DAYS * _DAY_SECONDS)
    connection.execute(
        """
        update app.jobs set result = result || '{"is_removed": true}'
        where kind = 'export' and job_id::text = any(%s)
        """,
        ([path.stem for path in exports],),
    )
    leftovers = [path for path in uploads if path.name not in in_flight] + exports
    leftovers += _unwanted_originals(connection, settings, now)
    leftovers += _unwanted_reports(settings.findings_folder, now)
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)


def _unwanted_originals(connection: Connection, settings: Settings, now: float) -> list[Path]:
    """Kept files that are too old; of a full delivery's nights, also all but the last of a day.

    A file of the last day may belong to a batch that is still landing.
    """
    rows = connection.execute(
        """
        with landed as (
            select
                sha256,
                is_compared and call_id < max(call_id) filter (where status = 'landed') over (
                    partition by source, (finished_at at time zone %(zone)s)::date, is_compared
                ) as is_superseded
            from raw.batches
            where status in ('landed', 'voided') and sha256 is not null
                and finished_at >= to_timestamp(%(now)s) - make_interval(days => %(days)s)
        )

        select distinct sha256 from landed where is_superseded is not true
        """,
        {"zone": settings.time_zone, "now": now, "days": settings.originals_days},
    ).fetchall()
    wanted = {sha256 for (sha256,) in rows}
    kept = kept_files(settings.originals_folder)
    return [path for path in kept if path.stem not in wanted and path.stat().st_mtime < now - _DAY_SECONDS]


def _unwanted_reports(folder: Path, now: float) -> list[Path]:
    """Findings reports of older builds, and what was left of one that was never finished."""
    drafts = [path for path in _older(folder, now - _DAY_SECONDS) if path.suffix == ".part"]
    return outdated_reports(folder) + drafts


def _older(folder: Path, moment: float) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.lstat().st_mtime < moment]
