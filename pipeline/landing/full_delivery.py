"""A delivery of everything there is, every time: only what it changes is stored.

Its lines are copied into temporary tables, compared there with what is known of their source, and those
that differ go on into the raw tables, beside the keys of those that are gone.
"""

from collections.abc import Sequence

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.copying import staged
from pipeline.landing.feeds import tables_of
from pipeline.landing.line_changes import LINE_KEY, find_known_lines, line_columns, listed
from pipeline.sources import ORDER_LINES

# Of a line that several files of the call have, the last row counts; and of equal ones at the end the
# first, which brought the values.
_LAST_ROWS = """
select distinct on (order_id, line_key) *
from (
    select *, ({compared}) is distinct from lead(({compared})) over newest_first as is_new
    from (select *, {line_key} as line_key from {staged}) as staged
    window newest_first as (partition by order_id, line_key order by batch_id desc, row_number desc)
) as delivered
where is_new
order by order_id, line_key, batch_id desc, row_number desc
"""
_ALL_ROWS = "select *, {line_key} as line_key from {staged}"

_STORE_CHANGED = """
with delivered as ({delivered})

insert into raw.order_lines (batch_id, row_number, {names})
select delivered.batch_id, delivered.row_number, {values}
from delivered
left join known_lines using (order_id, line_key)
left join raw.order_lines as known
    on known.batch_id = known_lines.batch_id and known.row_number = known_lines.row_number
where known.batch_id is null or ({compared}) is distinct from ({known_values})
"""

# A quarantined row whose key could be read keeps its old line.
_STORE_DELETED = """
insert into raw.deleted_lines (batch_id, order_id, line_key)
select %(batch_id)s, known_lines.order_id, known_lines.line_key
from known_lines
where
    not exists (
        select 1 from (select order_id, {line_key} as line_key from {staged}) as delivered
        where delivered.order_id = known_lines.order_id and delivered.line_key = known_lines.line_key
    )
    and not exists (
        select 1 from (
            select order_id, {line_key} as line_key from raw.quarantine
            where batch_id = any(%(batch_ids)s) and occurrence is not null
                and reasons <> array['duplicate_row']
        ) as kept
        where kept.order_id = known_lines.order_id and kept.line_key = known_lines.line_key
    )
"""

_STORE_VERSIONS = """
insert into raw.{table}
select staged.*
from {staged} as staged
where ({key}, batch_id) in (select {key}, batch_id from raw.order_lines where batch_id = any(%s))
"""


def make_staged_tables(connection: Connection[TupleRow], feed: str = ORDER_LINES) -> None:
    """Make the tables that the rows of one feed are copied into, until the commit."""
    for table in tables_of(feed):
        connection.execute(
            sql.SQL("create temporary table {} (like {} including defaults) on commit drop").format(
                sql.Identifier(f"staged_{table}"), sql.Identifier("raw", table)
            )
        )


def store_changes(connection: Connection[TupleRow], source: str, batch_ids: Sequence[int]) -> dict[int, int]:
    """Move what the staged rows change into the raw tables; returns how many rows each batch stored."""
    for table in tables_of(ORDER_LINES):
        connection.execute(sql.SQL("analyze {}").format(staged(table)))
    find_known_lines(connection, source, batch_ids)
    columns = line_columns(connection)
    # A line may stand elsewhere among its order's lines without being another one.
    compared = [column for column in columns if column != "occurrence"]
    rows_of = _LAST_ROWS if len(batch_ids) > 1 else _ALL_ROWS
    connection.execute(
        sql.SQL(_STORE_CHANGED).format(
            delivered=sql.SQL(rows_of).format(
                line_key=LINE_KEY, staged=staged("order_lines"), compared=listed("staged", compared)
            ),
            names=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=listed("delivered", columns),
            compared=listed("delivered", compared),
            known_values=listed("known", compared),
        )
    )
    connection.execute(
        sql.SQL(_STORE_DELETED).format(line_key=LINE_KEY, staged=staged("order_lines")),
        {"batch_id": batch_ids[0], "batch_ids": list(batch_ids)},
    )
    for table, key in (("products", "product_key"), ("customers", "customer_key")):
        query = sql.SQL(_STORE_VERSIONS).format(
            table=sql.Identifier(table), staged=staged(table), key=sql.Identifier(key)
        )
        connection.execute(query, (list(batch_ids),))
    rows = connection.execute(
        "select batch_id, count(*) from raw.order_lines where batch_id = any(%s) group by batch_id",
        (list(batch_ids),),
    )
    return dict(rows.fetchall())
