"""The log of what was loaded."""

from datetime import UTC
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row


def list_batches(
    connection: Connection, before: int | None, limit: int, source: str | None, status: str | None
) -> list[dict[str, Any]]:
    """The batches older than ``before`` (all when None), newest first, at most ``limit``."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            """
            select
                batch_id, call_id, feed, source, mode, status, file_name, size_bytes, sha256,
                rows_read, rows_accepted, rows_quarantined, rows_unchanged, reasons, message,
                first_sale_date, last_sale_date, requested_by, dagster_run_id, build_id,
                started_at, finished_at
            from core.batches
            where
                (%(before)s::bigint is null or batch_id < %(before)s)
                and (%(source)s::text is null or source = %(source)s)
                and (%(status)s::text is null or status = %(status)s)
            order by batch_id desc
            limit %(limit)s
            """,
            {"before": before, "limit": limit, "source": source, "status": status},
        )
        rows = cursor.fetchall()
    for row in rows:
        for name in ("started_at", "finished_at"):
            row[name] = row[name].astimezone(UTC) if row[name] else None
    return rows


def has_batch(connection: Connection, batch_id: int) -> bool:
    """Whether there is such a batch."""
    found = connection.execute("select 1 from core.batches where batch_id = %s", (batch_id,)).fetchone()
    return found is not None
