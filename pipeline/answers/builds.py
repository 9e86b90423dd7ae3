"""The record of builds: which one the numbers come from, and the list of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from pipeline.answers import numbers
from pipeline.answers.errors import QueryError


@dataclass(frozen=True)
class Build:
    """The build that an answer's numbers come from."""

    build_id: int
    data_as_of: date | None
    built_at: datetime | None


def current_build(connection: Connection) -> Build:
    """The newest published build.

    Raises:
        QueryError: nothing was published yet, or nothing by a version whose tables can be read.
    """
    # A table has its key from the first publish on, or from the migration that filled it.
    row = connection.execute(
        "select build_id, data_as_of, built_at, to_regclass('marts.revenue_by_product_monthly_pkey') is null"
        " from core.builds where status = 'published' order by build_id desc limit 1"
    ).fetchone()
    if row is None:
        raise QueryError("no_build", "No numbers are published yet: load a file, then ask again.")
    if row[3]:
        raise QueryError(
            "no_build",
            "The numbers were published by a version that is too old to be read by this one: "
            "`tillhouse refresh` publishes them anew.",
        )
    return Build(row[0], row[1], row[2].astimezone(UTC) if row[2] else None)


_SELECT = sql.SQL("""
select
    builds.build_id, builds.status, builds.is_full, builds.data_as_of, builds.started_at, builds.built_at,
    builds.finished_at, builds.lines_added, builds.lines_removed, builds.net_revenue_before,
    builds.net_revenue_after, builds.seconds, builds.failed_checks, builds.message, builds.requested_by,
    builds.dagster_run_id,
    coalesce(
        (
            select array_agg(build_batches.batch_id order by build_batches.batch_id)
            from core.build_batches
            where build_batches.build_id = builds.build_id
        ),
        '{}'
    ) as batch_ids
from core.builds
""")


def list_builds(
    connection: Connection, before: int | None, limit: int, currency: str
) -> list[dict[str, Any]]:
    """The builds older than ``before`` (all when None), newest first, at most ``limit``."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            _SELECT
            + sql.SQL(
                "where %(before)s::bigint is null or build_id < %(before)s"
                " order by build_id desc limit %(limit)s"
            ),
            {"before": before, "limit": limit},
        )
        return _written(cursor.fetchall(), currency)


def find_build(connection: Connection, build_id: int, currency: str) -> dict[str, Any] | None:
    """One build, or None."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_SELECT + sql.SQL("where build_id = %s"), (build_id,))
        found = _written(cursor.fetchall(), currency)
    return found[0] if found else None


def _written(rows: Sequence[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    digits = numbers.minor_digits(currency)
    for row in rows:
        for name in ("net_revenue_before", "net_revenue_after"):
            if row[name] is not None:
                row[name] = numbers.money(row[name], digits)
        for name in ("started_at", "built_at", "finished_at"):
            row[name] = row[name].astimezone(UTC) if row[name] else None
    return list(rows)
