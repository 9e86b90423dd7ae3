"""What a build changed: each day's measures before it and after it, and the batches that did it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg import Connection, sql
from psycopg.rows import dict_row

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import current_build
from pipeline.answers.pieces import COMMA

COUNTS = ("units", "units_returned")

# What a day was after a build is what it is now, less what later builds changed.
_STATEMENT = sql.SQL("""
    with

    mine as (
        select
            sale_date, {sums},
            array_agg(distinct batch_id) filter (where batch_id is not null) as batch_ids
        from core.build_changes
        where build_id = %(build_id)s
        group by sale_date
    ),

    later as (
        select sale_date, {sums}
        from core.build_changes
        inner join mine using (sale_date)
        where build_changes.build_id > %(build_id)s
        group by sale_date
    ),

    today as (
        select sale_date, {today_sums}
        from marts.revenue_daily
        inner join mine using (sale_date)
        group by sale_date
    ),

    changes as (
        select sale_date, measures.*, coalesce(mine.batch_ids, '{{}}') as batch_ids
        from mine
        left join later using (sale_date)
        left join today using (sale_date)
        cross join lateral (values {measures}) as measures (position, measure, new, difference)
    )

    select sale_date, measure, new - difference as old, new, difference, batch_ids
    from changes
    where
        difference <> 0
        and (%(start)s::date is null or sale_date >= %(start)s)
        and (%(end)s::date is null or sale_date <= %(end)s)
    order by sale_date, position
    limit %(limit)s offset %(offset)s
""")
MEASURES = ("net_revenue", "gross_revenue", "discounts", "returns", "shipping", *COUNTS)


@dataclass(frozen=True)
class ChangesQuestion:
    """Which build's changes, over which dates (inclusive); ``limit`` None asks for all."""

    build_id: int
    start: date | None = None
    end: date | None = None
    limit: int | None = None
    cursor: str | None = None


def changes(connection: Connection, question: ChangesQuestion, *, currency: str, time_zone: str) -> Answer:
    """One row for each day and measure that the build changed; a full build names no batches.

    Raises:
        QueryError: nothing is published, or the cursor is of no use.
    """
    build = current_build(connection)
    mark = fingerprint(question.build_id, question.start, question.end)
    offset = offset_of(question.cursor, build, mark)
    values = {
        "build_id": question.build_id,
        "start": question.start,
        "end": question.end,
        "limit": fetched(question.limit),
        "offset": offset,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_composed(), values).fetchall()
    digits = numbers.minor_digits(currency)
    for row in rows:
        row["sale_date"] = row["sale_date"].isoformat()
        for name in ("old", "new", "difference"):
            row[name] = numbers.money(Decimal(row[name]), 0 if row["measure"] in COUNTS else digits)
    page, cursor_after = paged(rows, question.limit, build, offset, mark)
    return Answer(page, envelope.meta(build, None, currency, time_zone), cursor_after)


def _composed() -> sql.Composed:
    sums = [sql.SQL("sum(build_changes.{0}) as {0}").format(sql.Identifier(name)) for name in MEASURES]
    today = [sql.SQL("sum(revenue_daily.{0}) as {0}").format(sql.Identifier(name)) for name in MEASURES]
    measure = sql.SQL(
        "({position}, {name}, coalesce(today.{column}, 0) - coalesce(later.{column}, 0), mine.{column})"
    )
    measures = [
        measure.format(position=sql.Literal(position), name=sql.Literal(name), column=sql.Identifier(name))
        for position, name in enumerate(MEASURES)
    ]
    return _STATEMENT.format(
        sums=COMMA.join(sums), today_sums=COMMA.join(today), measures=COMMA.join(measures)
    )  # fmt: skip
