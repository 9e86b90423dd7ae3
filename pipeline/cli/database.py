"""What the small commands ask the warehouse, through the read-only role where there is one."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

_NEWEST = 5


@dataclass(frozen=True)
class Overview:
    """What has been loaded and published.

    Attributes:
        data: first and last published sale date and the newest build, or nulls.
        builds: the newest first.
        batches: the newest first.
    """

    data: dict[str, Any]
    builds: list[DictRow]
    batches: list[DictRow]


def read_overview(url: str) -> Overview:
    """Read the overview in one snapshot.

    Args:
        url: the reader's address.

    Raises:
        psycopg.Error: the warehouse is away or was never prepared.
    """
    with psycopg.connect(
        url, row_factory=dict_row, connect_timeout=5, application_name="tillhouse-status"
    ) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        builds = connection.execute(
            """
            select
                build_id, status, is_full, data_as_of, started_at, built_at, message, requested_by
            from core.builds
            order by build_id desc
            limit %s
            """,
            (_NEWEST,),
        ).fetchall()
        batches = connection.execute(
            """
            select
                batch_id, status, source, mode, file_name, rows_read, rows_accepted, rows_quarantined,
                first_sale_date, last_sale_date, build_id, message, started_at
            from core.batches
            order by batch_id desc
            limit %s
            """,
            (_NEWEST,),
        ).fetchall()
        return Overview(_read_reach(connection), builds, batches)


def _read_reach(connection: psycopg.Connection[DictRow]) -> dict[str, Any]:
    """How far the published data reaches; nulls before the first build."""
    published = connection.execute(
        """
        select build_id, data_as_of, built_at
        from core.builds
        where status = 'published'
        order by build_id desc
        limit 1
        """
    ).fetchone()
    reach: dict[str, Any] = {"first_sale_date": None, "last_sale_date": None}
    made = connection.execute("select to_regclass('marts.revenue_daily') is not null as made").fetchone()
    if published is not None and made is not None and made["made"]:
        found = connection.execute(
            """
            select min(sale_date) as first_sale_date, max(sale_date) as last_sale_date
            from marts.revenue_daily
            """
        ).fetchone()
        reach = found or reach
    return {**(published or {"build_id": None, "data_as_of": None, "built_at": None}), **reach}
