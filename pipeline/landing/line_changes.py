"""What the lines of a call would change of those that are known, found out in Postgres.

Known is what is published, each line as the raw row that it came from, and what has landed since.
"""

from collections.abc import Sequence

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.pending import PENDING, is_restated

# As the dbt macro line_key has it.
LINE_KEY = sql.SQL("coalesce('#' || line_id || '#', product_id || ' #' || occurrence)")
_PROVENANCE = ("batch_id", "row_number")

_KEYS = """
create temporary table known_lines on commit drop as
with

pending as ({pending}),

others as (
    select batches.batch_id
    from raw.batches
    where batch_id in (select batch_id from pending)
        and source = %(source)s and batch_id <> all(%(batch_ids)s)
),

-- A deletion is newer than every line before it, and has no row.
landed_since as (
    select distinct on (order_id, line_key) *
    from (
        select order_id, {line_key} as line_key, batch_id, row_number, sale_date
        from raw.order_lines
        inner join others using (batch_id)
        union all
        select order_id, line_key, batch_id, null, null
        from raw.deleted_lines
        inner join others using (batch_id)
    ) as versions
    order by order_id, line_key, batch_id desc, row_number desc
),

published as ({published})

select
    order_id, line_key,
    coalesce(landed_since.batch_id, published.batch_id) as batch_id,
    coalesce(landed_since.row_number, published.row_number) as row_number,
    coalesce(landed_since.sale_date, published.sale_date) as sale_date,
    %(all_differ)s::boolean as differs
from published
full join landed_since using (order_id, line_key)
where landed_since.order_id is null or landed_since.row_number is not null or %(all_differ)s
"""
_PUBLISHED = """
    select order_id, line_key, batch_id, row_number, sale_date
    from core.fct_order_lines
    where source = %(source)s and refund_id is null
"""
_NOTHING_PUBLISHED = """
    select null::text as order_id, null::text as line_key, null::bigint as batch_id,
        null::integer as row_number, null::date as sale_date
    where false
"""


def find_known_lines(connection: Connection[TupleRow], source: str, batch_ids: Sequence[int]) -> None:
    """Make ``known_lines`` (order_id, line_key, batch_id, row_number, sale_date, differs) until the commit.

    Without the batches at hand. After an overwrite or a void that no build has taken in, every line
    counts as one that differs: what is published says little then.
    """
    is_published = _has_facts(connection)
    query = sql.SQL(_KEYS).format(
        pending=sql.SQL(PENDING),
        line_key=LINE_KEY,
        published=sql.SQL(_PUBLISHED if is_published else _NOTHING_PUBLISHED),
    )
    values = {
        "source": source,
        "batch_ids": list(batch_ids),
        "all_differ": is_restated(connection) or _overwrite_is_pending(connection, source, batch_ids),
    }
    connection.execute(query, values)
    connection.execute("analyze known_lines")


def line_columns(connection: Connection[TupleRow]) -> tuple[str, ...]:
    """The columns of ``raw.order_lines`` that say something of the line."""
    rows = connection.execute(
        """
        select column_name from information_schema.columns
        where table_schema = 'raw' and table_name = 'order_lines'
        order by ordinal_position
        """
    ).fetchall()
    return tuple(row[0] for row in rows if row[0] not in _PROVENANCE)


def listed(relation: str, columns: Sequence[str]) -> sql.Composable:
    """Columns of a relation, separated by commas."""
    return sql.SQL(", ").join(sql.Identifier(relation, column) for column in columns)


def _overwrite_is_pending(connection: Connection[TupleRow], source: str, batch_ids: Sequence[int]) -> bool:
    query = sql.SQL(
        """
        select exists (
            select 1 from raw.batches
            where batch_id in ({pending}) and source = %s and batch_id <> all(%s)
                and mode = 'overwrite' and not is_compared
        )
        """
    ).format(pending=sql.SQL(PENDING))
    row = connection.execute(query, (source, list(batch_ids))).fetchone()
    return row is not None and bool(row[0])


def _has_facts(connection: Connection[TupleRow]) -> bool:
    row = connection.execute("select to_regclass('core.fct_order_lines') is not null").fetchone()
    return row is not None and bool(row[0])
