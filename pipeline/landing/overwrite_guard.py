"""Would an overwrite delete more than anybody means to?"""

from collections.abc import Sequence

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.line_changes import LINE_KEY
from pipeline.landing.pending import PENDING

# An overwrite that deletes more than one line in so many needs to be forced.
_ONE_IN = 5

_COUNT_LOST = """
with known as (
    {published_keys}
    select distinct order_lines.order_id, {line_key} as line_key
    from raw.order_lines
    inner join raw.batches using (batch_id)
    where batches.source = %(source)s and batches.status = 'landed'
        and batch_id in ({pending})
),

delivered as (
    select order_id, {line_key} as line_key
    from {delivered}
    where batch_id = any(%(batch_ids)s)
    union
    select order_id, {line_key}
    from raw.quarantine
    where batch_id = any(%(batch_ids)s) and occurrence is not null and reasons[1] <> 'duplicate_row'
)

select count(*), count(*) filter (where delivered.order_id is null)
from known
left join delivered using (order_id, line_key)
"""
_PUBLISHED_KEYS = """
    select order_id, line_key
    from core.fct_order_lines
    where source = %(source)s and refund_id is null
    union
"""


def overwrite_refusal(
    connection: Connection[TupleRow], source: str, batch_ids: Sequence[int], delivered: sql.Identifier
) -> str | None:
    """Why these batches, whose lines are in a table, may not overwrite the source; None when they may.

    A quarantined row whose key could be read keeps its old line, so it deletes nothing.
    """
    is_published = connection.execute("select to_regclass('core.fct_order_lines') is not null").fetchone()
    assert is_published is not None
    query = sql.SQL(_COUNT_LOST).format(
        published_keys=sql.SQL(_PUBLISHED_KEYS if is_published[0] else ""),
        pending=sql.SQL(PENDING),
        delivered=delivered,
        line_key=LINE_KEY,
    )
    counts = connection.execute(query, {"source": source, "batch_ids": list(batch_ids)}).fetchone()
    assert counts is not None
    known, lost = counts
    if lost * _ONE_IN <= known:
        return None
    return (
        f"this overwrite would delete {lost:,} of the {known:,} lines of source {source!r}, more than a "
        "fifth; if that is meant, load it with --force"
    )
