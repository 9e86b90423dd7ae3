"""What has landed, or was done to what had landed, and is in no published build yet."""

from typing import LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

# Landed batches that no published build has taken in.
PENDING: LiteralString = """
    select batch_id from raw.batches
    where status = 'landed' and not exists (
        select 1 from core.build_batches
        inner join core.builds using (build_id)
        where build_batches.batch_id = batches.batch_id and builds.status = 'published'
    )
"""


def is_restated(connection: Connection[TupleRow]) -> bool:
    """Whether a batch was taken back, or put back, or given more rows since the last published build."""
    row = connection.execute(
        """
        select exists (
            select 1 from raw.batch_events
            where event_id > coalesce((
                select max(last_event_id) from core.builds where status = 'published'
            ), 0)
        )
        """
    ).fetchone()
    return row is not None and bool(row[0])
