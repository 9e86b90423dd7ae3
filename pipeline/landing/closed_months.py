"""Months that are closed: a delivery that would change one is refused, unless it opens it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.closed_feeds import REFUNDS_OF_SOURCE, REPLAYED, changes_of_records
from pipeline.landing.closed_orders import CHANGED_ORDERS
from pipeline.landing.errors import LandingError
from pipeline.landing.line_changes import LINE_KEY, find_known_lines, line_columns, listed
from pipeline.landing.pending import PENDING, is_restated
from pipeline.sources import ORDER_LINES

_SHOWN = 5

_SUMMED = """
with changes as materialized ({changes})

select
    array(select distinct month from changes order by month),
    array(select distinct changed from changes order by changed limit %(shown)s)
"""

# Both sides of a changed line count: the day that it is taken from, and the day that it comes to. So do the
# refunds of its order. An order is named where none of its lines is.
_CHANGED = """
with

delivered as (
    select distinct on (order_id, line_key) *
    from (select *, {line_key} as line_key from raw.order_lines) as rows_of_call
    where
        batch_id = any(%(batch_ids)s)
        and (not %(is_replay)s or (batch_id, row_number) in ({replayed}))
    order by order_id, line_key, batch_id desc, row_number desc
),

deleted as (
    select order_id, line_key from raw.deleted_lines where batch_id = any(%(batch_ids)s) and not %(is_replay)s
    union
    select known_lines.order_id, known_lines.line_key
    from known_lines
    where %(deletes)s
        and not exists (
            select 1 from delivered
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
),

changed as (
    select
        delivered.order_id, delivered.line_key, delivered.batch_id, delivered.sale_date, delivered.quantity,
        delivered.order_shipping, known_lines.sale_date as old_date
    from delivered
    left join known_lines using (order_id, line_key)
    left join raw.order_lines as known
        on known.batch_id = known_lines.batch_id and known.row_number = known_lines.row_number
    where known.batch_id is null or ({values}) is distinct from ({known_values})
    union all
    select deleted.order_id, deleted.line_key, null, null, null, null, known_lines.sale_date
    from deleted
    inner join known_lines using (order_id, line_key)
),

lines as (
    select closed.month, changed.order_id, changed.line_key
    from changed
    inner join raw.closed_months as closed
        on closed.month in (date_trunc('month', sale_date)::date, date_trunc('month', old_date)::date)
            or (changed.order_id, closed.month) in (
                select order_id, date_trunc('month', refund_date)::date from ({refunds}) as refunds
            )
)

select month, format('order %%s line %%s', order_id, line_key) as changed
from lines
union all
select month, format('order %%s', order_id)
from ({orders}) as orders
where not exists (select 1 from lines where lines.order_id = orders.order_id and lines.month = orders.month)
"""


@dataclass(frozen=True)
class ClosedChanges:
    """Closed months (their first days) that would change, and in words some of what does it."""

    months: tuple[date, ...] = ()
    changed: str = ""

    @property
    def refusal(self) -> str:
        """Why they may not be changed."""
        return (
            f"it would change months that are closed: {named(self.months)} ({self.changed}); if that is "
            "meant, say --reopen, which opens them again"
        )


def close_month(connection: Connection[TupleRow], month: date, closed_by: str) -> bool:
    """Close a month, given by its first day; whether it was open. The caller holds the refresh lock.

    Raises:
        LandingError: something has landed, or was voided or replayed, that no build has taken in.
    """
    pending = connection.execute(sql.SQL(PENDING)).fetchone()
    if pending or is_restated(connection):
        raise LandingError(
            "there are deliveries that are not in the published numbers yet: publish them first "
            "(`tillhouse refresh`), look at the month, and close it then"
        )
    done = connection.execute(
        "insert into raw.closed_months (month, closed_by) values (%s, %s) on conflict do nothing",
        (month, closed_by),
    )
    return done.rowcount == 1


def closed_months(connection: Connection[TupleRow]) -> list[tuple[date, str, object]]:
    """The closed months, the oldest first: first day, who closed it, and when."""
    return connection.execute(
        "select month, closed_by, closed_at from raw.closed_months order by month"
    ).fetchall()


def changed_months(
    connection: Connection[TupleRow],
    source: str,
    feed: str,
    batch_ids: Sequence[int],
    *,
    deletes: bool = False,
    is_replay: bool = False,
) -> ClosedChanges:
    """The closed months that these batches of one feed, stored and not yet committed, would change.

    ``deletes``: what batches of order lines lack is deleted. ``is_replay``: only what this transaction took
    out of their quarantine is new.
    """
    if not closed_months(connection):
        return ClosedChanges()
    if feed == ORDER_LINES:
        query = _changes_of_lines(connection, source, batch_ids)
    elif (of_records := changes_of_records(connection, feed)) is not None:
        query = of_records
    else:
        return ClosedChanges()
    # The planner knows nothing of rows that were stored a moment ago, takes them for a few, and would compare
    # each with all the others.
    connection.execute("set local enable_nestloop = off")
    found = connection.execute(
        sql.SQL(_SUMMED).format(changes=query),
        {
            "batch_ids": list(batch_ids),
            "source": source,
            "deletes": deletes,
            "is_replay": is_replay,
            "shown": _SHOWN + 1,
        },
    ).fetchone()
    connection.execute("set local enable_nestloop = on")
    assert found is not None
    months, changed = found
    return ClosedChanges(
        tuple(months), ", ".join(changed[:_SHOWN]) + (" and more" if len(changed) > _SHOWN else "")
    )


def open_again(connection: Connection[TupleRow], months: Sequence[date]) -> None:
    """Open closed months again."""
    connection.execute("delete from raw.closed_months where month = any(%s)", (list(months),))


def named(months: Sequence[date]) -> str:
    """Months as people write them: 2024-03."""
    return ", ".join(f"{month:%Y-%m}" for month in months)


def _changes_of_lines(
    connection: Connection[TupleRow], source: str, batch_ids: Sequence[int]
) -> sql.Composable:
    """The query (month, changed) of what batches of order lines would change."""
    if not _exists(connection, "known_lines"):
        find_known_lines(connection, source, batch_ids)
    columns = [column for column in line_columns(connection) if column != "occurrence"]
    return sql.SQL(_CHANGED).format(
        line_key=LINE_KEY,
        values=listed("delivered", columns),
        known_values=listed("known", columns),
        refunds=sql.SQL(REFUNDS_OF_SOURCE),
        replayed=sql.SQL(REPLAYED),
        orders=sql.SQL(CHANGED_ORDERS).format(
            values=listed("lines", columns), published_values=listed("published", columns)
        ),
    )


def _exists(connection: Connection[TupleRow], table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (f"pg_temp.{table}",)).fetchone()
    return row is not None and bool(row[0])
