"""Staged rows of a replay, and the batch whose rejected rows they were."""

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.contract import DUPLICATE
from pipeline.landing.copying import staged
from pipeline.landing.errors import LandingError
from pipeline.landing.feeds import tables_of
from pipeline.landing.line_changes import LINE_KEY, find_known_lines
from pipeline.landing.voiding import LandedBatch
from pipeline.sources import ORDER_LINES

# The number that a row had among its (order, product) pair, or the next that is free in its batch. A full
# delivery has only its changes in raw: what it left as it was is known.
_NUMBER = """
with taken as (
    select order_id, product_id, max(occurrence) as highest
    from (
        select order_id, product_id, occurrence from raw.order_lines where batch_id = %(batch_id)s
        union all
        select order_id, product_id, occurrence from raw.quarantine where batch_id = %(batch_id)s
        {known}
    ) as all_rows
    group by order_id, product_id
),

numbered as (
    select
        staged.row_number,
        coalesce(
            own.occurrence,
            coalesce(taken.highest, 0) + row_number() over (
                partition by staged.order_id, staged.product_id, own.occurrence is null
                order by staged.row_number
            )
        ) as occurrence
    from {staged} as staged
    left join raw.quarantine as own
        on own.batch_id = %(batch_id)s and own.row_number = staged.row_number
            and own.order_id = staged.order_id and own.product_id = staged.product_id
    left join taken on taken.order_id = staged.order_id and taken.product_id = staged.product_id
)

update {staged} as staged
set occurrence = numbered.occurrence
from numbered
where numbered.row_number = staged.row_number
"""
_KNOWN = """
        union all
        select lines.order_id, lines.product_id, lines.occurrence
        from known_lines
        inner join raw.order_lines as lines using (batch_id, row_number)
"""

_TAKEN_KEYS = """
select staged.row_number
from (select *, {line_key} as line_key from {staged}) as staged
inner join (select *, {line_key} as line_key from raw.order_lines) as lines
    using (batch_id, order_id, line_key)
order by staged.row_number
limit 1
"""

_RECOUNT = """
update raw.batches
set
    rows_accepted = rows_accepted + %(count)s, rows_quarantined = rows_quarantined - %(count)s,
    reasons = coalesce((
        select jsonb_object_agg(reason, rows)
        from (
            select reasons[1] as reason, count(*) as rows
            from raw.quarantine where batch_id = %(batch_id)s
            group by reasons[1]
        ) as counted
    ), '{}')
where batch_id = %(batch_id)s
"""
_WIDEN = """
update raw.batches
set
    first_sale_date = least(first_sale_date, (select min(sale_date) from {lines})),
    last_sale_date = greatest(last_sale_date, (select max(sale_date) from {lines}))
where batch_id = %s
"""


def number_occurrences(connection: Connection[TupleRow], batch: LandedBatch) -> None:
    """Give each staged row, which was counted alone, its number within the batch's (order, product) pair."""
    if batch.is_compared:
        find_known_lines(connection, batch.source, [batch.batch_id])
    query = sql.SQL(_NUMBER).format(
        staged=staged(ORDER_LINES), known=sql.SQL(_KNOWN if batch.is_compared else "")
    )
    connection.execute(query, {"batch_id": batch.batch_id})


def withhold_duplicates(connection: Connection[TupleRow], batch: LandedBatch) -> int:
    """Take the rows out that were rejected as duplicates: they would count twice; returns how many.

    They are kept by ``duplicate_rows = "keep"`` and a replay of the original alone.
    """
    query = sql.SQL(
        """
        delete from {staged} as staged
        using raw.quarantine
        where quarantine.batch_id = %s and quarantine.row_number = staged.row_number
            and %s = any(quarantine.reasons)
        """
    ).format(staged=staged(tables_of(batch.feed)[0]))
    return connection.execute(query, (batch.batch_id, DUPLICATE)).rowcount


def release(connection: Connection[TupleRow], batch: LandedBatch) -> int:
    """Move the staged rows into the batch and out of its quarantine; returns how many.

    Raises:
        LandingError: one of them has the key of an accepted line of the batch.
    """
    rows_table, *_ = tables_of(batch.feed)
    rows = staged(rows_table)
    if batch.feed == ORDER_LINES:
        _require_free_keys(connection, batch)
    count = connection.execute(
        sql.SQL("insert into {} select * from {}").format(sql.Identifier("raw", rows_table), rows)
    ).rowcount
    if batch.feed == ORDER_LINES:
        _add_what_lines_name(connection, batch)
    connection.execute(
        sql.SQL(
            """
            with replayed as (
                delete from raw.quarantine
                where batch_id = %s and row_number in (select row_number from {})
                returning batch_id, row_number, reasons, raw_text
            )

            insert into raw.replayed_rows (batch_id, row_number, reasons, raw_text)
            select batch_id, row_number, reasons, raw_text from replayed
            """
        ).format(rows),
        (batch.batch_id,),
    )
    connection.execute(_RECOUNT, {"count": count, "batch_id": batch.batch_id})
    return count


def _require_free_keys(connection: Connection[TupleRow], batch: LandedBatch) -> None:
    query = sql.SQL(_TAKEN_KEYS).format(staged=staged(ORDER_LINES), line_key=LINE_KEY)
    clash = connection.execute(query).fetchone()
    if clash:
        raise LandingError(
            f"batch {batch.batch_id}: row {clash[0]} would now stand for another of its lines, as its "
            "columns are read otherwise than when it landed; void the batch and load the file again"
        )


def _add_what_lines_name(connection: Connection[TupleRow], batch: LandedBatch) -> None:
    """The versions of products and customers of the staged lines, and the span of their days."""
    lines = staged(ORDER_LINES)
    for table, key in (("products", "product_key"), ("customers", "customer_key")):
        query = sql.SQL(
            "insert into {table} select * from {versions} as versions"
            " where {key} in (select {key} from {lines}) on conflict do nothing"
        ).format(
            table=sql.Identifier("raw", table),
            versions=staged(table),
            key=sql.Identifier(key),
            lines=lines,
        )
        connection.execute(query)
    connection.execute(sql.SQL(_WIDEN).format(lines=lines), (batch.batch_id,))
