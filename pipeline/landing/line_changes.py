"""What is known of a source's lines, for a call's lines to be compared with."""

from collections.abc import Sequence

from psycopg import Connection, sql
from psycopg.rows import TupleRow

# As the dbt macro line_key has it.
LINE_KEY = sql.SQL("coalesce('#' || line_id || '#', product_id || ' #' || occurrence)")
_PROVENANCE = ("batch_id", "row_number")

_KNOWN = """
create temporary table known_lines on commit drop as
with

landed as (
    select batch_id, call_id, mode = 'overwrite' and not is_compared as is_overwrite
    from raw.batches
    where source = %(source)s and feed = 'order_lines' and status = 'landed'
        and batch_id <> all(%(batch_ids)s)
),

-- What is older than the last plain overwrite is live only where a quarantined row kept it.
last_overwrite as (
    select min(batch_id) as first_batch_id
    from landed
    where call_id = (select max(call_id) from landed where is_overwrite)
),

effective as (
    select batch_id from landed
    where batch_id >= coalesce((select first_batch_id from last_overwrite), 0)
),

-- A deletion is newer than every line before it, and has no row.
newest as (
    select distinct on (order_id, line_key) *
    from (
        select order_id, {line_key} as line_key, batch_id, row_number, sale_date
        from raw.order_lines
        inner join effective using (batch_id)
        union all
        select order_id, line_key, batch_id, null, null
        from raw.deleted_lines
        inner join effective using (batch_id)
    ) as versions
    order by order_id, line_key, batch_id desc, row_number desc
),

published as ({published})

select
    order_id, line_key, newest.batch_id, newest.row_number,
    coalesce(newest.sale_date, published.sale_date) as sale_date,
    published.batch_id as published_batch_id, published.row_number as published_row_number
from newest
full join published using (order_id, line_key)
where newest.order_id is null or newest.row_number is not null
"""
_PUBLISHED = """
    select order_id, line_key, batch_id, row_number, sale_date
    from core.fct_order_lines
    where source = %(source)s and refund_id is null
"""
_NOTHING_PUBLISHED = """
    select
        null::text as order_id, null::text as line_key, null::bigint as batch_id, null::integer as row_number,
        null::date as sale_date
    where false
"""


def find_known_lines(connection: Connection[TupleRow], source: str, batch_ids: Sequence[int]) -> None:
    """Make ``known_lines`` until the commit.

    They are the lines (order_id, line_key, sale_date) that are live without the batches at hand, each with
    the raw row of its newest version (batch_id, row_number) and of its published one (published_…). Without
    a newest row are those that are published and that raw alone does not tell to be live: kept by a
    quarantined row, or of a batch whose void no build has taken in. They may be more than are live.
    """
    query = sql.SQL(_KNOWN).format(
        line_key=LINE_KEY, published=sql.SQL(_PUBLISHED if _has_facts(connection) else _NOTHING_PUBLISHED)
    )
    connection.execute(query, {"source": source, "batch_ids": list(batch_ids)})
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


def _has_facts(connection: Connection[TupleRow]) -> bool:
    row = connection.execute("select to_regclass('core.fct_order_lines') is not null").fetchone()
    return row is not None and bool(row[0])
