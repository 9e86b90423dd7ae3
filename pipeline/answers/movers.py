"""The products whose net revenue differs most from what it was in another range."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row
from pipeline.answers.builds import current_build
from pipeline.answers.dates import DateRange
from pipeline.answers.pieces import where
from pipeline.answers.relations import Part, plan
from pipeline.answers.revenue import data_range

_MOVED = sql.SQL("""
with

asked as (
    select product_id, sum(net_revenue) as net_revenue
    from ({asked}) as parts
    group by product_id
),

earlier as (
    select product_id, sum(net_revenue) as net_revenue
    from ({earlier}) as parts
    group by product_id
),

moved as (
    select
        product_id,
        coalesce(asked.net_revenue, 0) as net_revenue,
        coalesce(earlier.net_revenue, 0) as previous,
        coalesce(asked.net_revenue, 0) - coalesce(earlier.net_revenue, 0) as difference
    from asked
    full join earlier using (product_id)
),

ranked as (
    select
        *,
        row_number() over (order by difference desc, product_id collate "C") as place_of_gains,
        row_number() over (order by difference, product_id collate "C") as place_of_losses
    from moved
)

select ranked.product_id, dim_product.current_name, net_revenue, previous, difference
from ranked
left join core.dim_product on dim_product.product_id = ranked.product_id and dim_product.is_current
where
    (difference > 0 and place_of_gains <= {n})
    or (difference < 0 and place_of_losses <= {n})
order by difference desc, ranked.product_id collate "C"
""")


@dataclass(frozen=True)
class MoversQuestion:
    """The range, the one it is compared with, and how many products to name that gained, and that lost."""

    span: DateRange
    earlier: DateRange
    n: int


def movers(connection: Connection, question: MoversQuestion, *, currency: str, time_zone: str) -> Answer:
    """Products by falling difference: first those that gained, then those that lost; equal ones by id.

    A product that was sold in one of the ranges alone counts with 0 in the other.

    Raises:
        QueryError: nothing is published.
    """
    build = current_build(connection)
    data = data_range(connection, build)
    statement = _MOVED.format(
        asked=_sums(plan({"product_id"}, None, question.span, data or question.span)),
        earlier=_sums(plan({"product_id"}, None, question.earlier, data or question.earlier)),
        n=sql.Literal(question.n),
    )
    digits = numbers.minor_digits(currency)
    rows: list[Row] = [
        {
            "product": {"id": product_id, "name": name},
            "net_revenue": numbers.money(now, digits),
            "previous": numbers.money(previous, digits),
            "difference": numbers.money(difference, digits),
            "ratio": numbers.ratio(now, previous),
        }
        for product_id, name, now, previous, difference in connection.execute(statement).fetchall()
    ]
    return Answer(rows, envelope.meta(build, question.span, currency, time_zone))


def _sums(parts: Sequence[Part]) -> sql.Composable:
    return sql.SQL(" union all ").join(
        sql.SQL(
            "select {product} as product_id, {net_revenue} as net_revenue"
            " from {table} where {rows} group by 1"
        ).format(
            product=part.relation.columns["product_id"],
            net_revenue=part.relation.sums["net_revenue"],
            table=part.relation.table,
            rows=where(part.relation.day, part.span, part.relation.columns, {}),
        )
        for part in parts
    )
