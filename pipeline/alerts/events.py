"""What happened that somebody should be told: read from the records, whoever ran the refresh."""

from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from pipeline.alerts.models import Alert

# Dagster tries a run whose process died once more, and the job goes on: that much later, it has not.
RETRY_GRACE = timedelta(minutes=2)
# An anomaly is news while its day is this close to the newest data.
NEWS_DAYS = 14
LONGEST_TEXT = 500


def failed_jobs(connection: Connection, since: datetime) -> list[Alert]:
    """Refreshes and imports that failed."""
    rows = connection.execute(
        """
        select
            job_id, kind, coalesce(problem ->> 'detail', message, 'Its log tells more.'),
            (
                select max(builds.build_id) from core.builds
                where builds.dagster_run_id = jobs.dagster_run_id and builds.status = 'failed'
            )
        from app.jobs
        where
            kind in ('refresh', 'import') and status = 'failed' and finished_at >= %(since)s
            and (problem is not null or finished_at < now() - %(grace)s::interval)
            -- An import whose file was refused: the batch tells that.
            and not (
                coalesce(problem ->> 'code' = 'file_refused', false)
                and exists (
                    select 1 from raw.batches
                    where batches.dagster_run_id = jobs.dagster_run_id and batches.status = 'refused'
                )
            )
        order by finished_at
        """,
        {"since": since, "grace": RETRY_GRACE},
    ).fetchall()
    return [
        Alert(
            key=f"failed:{job_id}",
            event="failed",
            title=f"{kind} failed" + (f" (build {build_id})" if build_id else ""),
            detail=_first_sentence(why),
            build_id=build_id,
            refresh_id=job_id,
        )
        for job_id, kind, why, build_id in rows
    ]


def unexpected_differences(connection: Connection, since: datetime) -> list[Alert]:
    """Full builds without new batches that changed something: they must find no difference."""
    rows = connection.execute(
        """
        select build_id, sum(counted::bigint)
        from core.builds
        cross join lateral jsonb_each(rows_changed) as by_table (relation, changed)
        cross join lateral jsonb_each_text(changed) as by_kind (kind, counted)
        where
            status = 'published' and is_full and built_at >= %s
            and not exists (select 1 from core.build_batches where build_batches.build_id = builds.build_id)
            -- Nor had a batch been voided or replayed since the build before.
            and last_event_id = (
                select coalesce(max(earlier.last_event_id), 0) from core.builds as earlier
                where earlier.status = 'published' and earlier.build_id < builds.build_id
            )
        group by build_id
        having sum(counted::bigint) > 0
        order by build_id
        """,
        (since,),
    ).fetchall()
    return [
        Alert(
            key=f"difference:{build_id}",
            event="failed",
            title=f"check failed (build {build_id})",
            detail=f"A full build without new data changed {count:,} rows; it must change none unless "
            "the models have changed.",
            build_id=build_id,
        )
        for build_id, count in rows
    ]


def refused_batches(connection: Connection, since: datetime) -> list[Alert]:
    """Files that were refused whole."""
    rows = connection.execute(
        """
        select batch_id, source, file_name, coalesce(message, 'see its rejects')
        from raw.batches where status = 'refused' and finished_at >= %s
        order by batch_id
        """,
        (since,),
    ).fetchall()
    return [
        Alert(
            key=f"refused:{batch_id}",
            event="refused",
            title=f"{_first_line(file_name) or 'a file'} was refused",
            detail=f"Batch {batch_id} of the source {source}: {_first_sentence(why)} "
            "Nothing of it was loaded.",
            batch_id=batch_id,
        )
        for batch_id, source, file_name, why in rows
    ]


def lateness(connection: Connection, started_at: datetime, allowed: timedelta) -> list[Alert]:
    """That no refresh has succeeded for too long, told once until one has."""
    last: tuple[Any, datetime] | None = connection.execute(
        """
        select job_id, finished_at from app.jobs
        where kind in ('refresh', 'import') and status = 'succeeded' and finished_at is not null
        order by finished_at desc limit 1
        """
    ).fetchone()
    since = max(started_at, last[1]) if last else started_at
    row = connection.execute("select now() - %s::timestamptz > %s::interval", (since, allowed)).fetchone()
    if row is None or not row[0]:
        return []
    hours = allowed.total_seconds() / 3600
    told = f"The last one was at {last[1]:%Y-%m-%d %H:%M %Z}." if last else "There was none yet."
    return [
        Alert(
            key=f"late:{last[0] if last else 'first'}",
            event="late",
            title="no refresh has succeeded for too long",
            detail=f"No refresh has succeeded within {hours:g} hours. {told} The numbers may be out of date.",
        )
    ]


def anomalies(connection: Connection, since: datetime, currency: str) -> list[Alert]:
    """Days that a build has touched, and whose revenue is far from what is usual."""
    if not _has_anomalies(connection):
        return []
    rows = connection.execute(
        """
        select
            revenue_anomalies.sale_date, round(revenue_anomalies.net_revenue, 2),
            round(revenue_anomalies.expected, 2), round(revenue_anomalies.score, 1), max(builds.build_id)
        from marts.revenue_anomalies
        inner join core.build_changes using (sale_date)
        inner join core.builds using (build_id)
        where
            revenue_anomalies.is_anomaly and builds.status = 'published' and builds.built_at >= %(since)s
            and sale_date > (
                select newest.data_as_of - %(days)s::integer from core.builds as newest
                where newest.status = 'published' order by newest.build_id desc limit 1
            )
        group by
            revenue_anomalies.sale_date, revenue_anomalies.net_revenue, revenue_anomalies.expected,
            revenue_anomalies.score
        order by revenue_anomalies.sale_date
        """,
        {"since": since, "days": NEWS_DAYS},
    ).fetchall()
    return [
        Alert(
            key=f"anomaly:{day}:{'high' if score > 0 else 'low'}",
            event="anomaly",
            title=f"revenue of {day} is unusually {'high' if score > 0 else 'low'}",
            detail=f"{day:%A}, {day}: net revenue is {found} {currency}; usual is {expected} {currency} "
            f"(score {score}).",
            build_id=build_id,
        )
        for day, found, expected, score, build_id in rows
    ]


def newest_data(connection: Connection) -> date | None:
    """The latest published sale date."""
    row = connection.execute(
        "select data_as_of from core.builds where status = 'published' order by build_id desc limit 1"
    ).fetchone()
    return row[0] if row else None


def _has_anomalies(connection: Connection) -> bool:
    row = connection.execute("select to_regclass('marts.revenue_anomalies') is not null").fetchone()
    return row is not None and bool(row[0])


def _first_sentence(text: str) -> str:
    """The first sentence: what follows may quote the file, which is not to leave the house."""
    return f"{_first_line(text).split('. ')[0].rstrip('.')}."


def _first_line(text: str) -> str:
    """The first line, shortened: what Postgres adds below it may quote a row."""
    line = " ".join(text.strip().splitlines()[:1])
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"
