"""How many customers there were, how many of them new, and how many came again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from psycopg import Connection, sql

from pipeline.answers import numbers
from pipeline.answers.answer import Answer, Row
from pipeline.answers.builds import current_build
from pipeline.answers.counts_sql import SEQUENCES, of_regions, rollup_suffix
from pipeline.answers.dates import DateRange
from pipeline.answers.dimensions import FILTERS
from pipeline.answers.pieces import conditions
from pipeline.answers.relations import LINE_COLUMNS, PRODUCT_JOIN, whole_months
from pipeline.answers.revenue import RevenueQuestion, answer, data_range

COUNTED = ("customers", "new_customers", "repeat_customers")

# One row per customer's order in each group: the first order of a range is the one whose previous
# order is before it, the second the one whose second previous is.
_CHAINED = sql.SQL("""
    select
        {keys}
        count(*) filter (where {previous} is null or {previous} < {start}) as customers,
        count(*) filter (where {previous} is null) as new_customers,
        count(*) filter (
            where {previous} >= {start} and ({second_previous} is null or {second_previous} < {start})
        ) as repeat_customers
    from marts.customer_orders
    where order_date between {start} and {end} and {rows} {conditions}
    {group}
""")
# Of whole months: the orders by the months of the one before (step 1) and the one before that (step 2);
# without one it is the first day of the calendar, on which a range may begin.
_OF_MONTHS = sql.SQL("""
    select
        {keys}
        sum(orders) filter (where step = 1 and is_first)::bigint as customers,
        sum(orders) filter (where step = 1 and earlier_month = '0001-01-01')::bigint as new_customers,
        (
            sum(orders) filter (where step = 2 and is_first)
            - sum(orders) filter (where step = 1 and is_first)
        )::bigint as repeat_customers
    from (
        select *, earlier_month < {start} or earlier_month = '0001-01-01' as is_first
        from marts.customer_returns_monthly
    ) as counted
    where order_month between {start} and {end} and {of_regions} {conditions}
    {group}
""")
_COUNTED = sql.SQL("""
    select
        {keys}
        count(*) filter (where order_count > 0) as customers,
        count(*) filter (where order_count > 0 and first_order_date >= {start}) as new_customers,
        count(*) filter (where order_count > 1) as repeat_customers
    from (
        select
            {keys}
            customer_id,
            min(order_date) as first_order_date,
            count(distinct (source, order_id)) filter (where order_date >= {start}) as order_count
        from ({orders}) as orders
        where order_date <= {end}
        group by {keys} customer_id
    ) as customers
    {group}
""")
_ORDERS_OF_LINES = sql.SQL("""
    select {keys} lines.customer_id, orders.source, orders.order_id, orders.order_date
    from core.fct_orders as orders
    inner join core.fct_order_lines as lines using (source, order_id)
    {joins}
    where lines.quantity > 0 and lines.customer_id is not null {conditions}
""")


@dataclass(frozen=True)
class SummaryQuestion:
    """Which orders count, and whether each region is told apart; dates inclusive, None takes the data's."""

    start: date | None = None
    end: date | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_region: bool = False


def summary(
    connection: Connection, question: SummaryQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """One row, or one for each region.

    A customer is new when none of the orders that the filters select is older than the range;
    the others return. Repeat customers have at least two orders in the range; the repeat rate is
    their share of the customers.

    Raises:
        QueryError: the question cannot be answered.
    """
    groups = ("region",) if question.by_region else ()
    revenue = answer(
        connection,
        RevenueQuestion(group_by=groups, start=question.start, end=question.end, filters=question.filters),
        currency=currency,
        time_zone=time_zone,
    )
    rows = list(revenue.rows)
    span = revenue.meta["range"]
    found: dict[str | None, dict[str, int]] = {}
    if span["start_date"] is not None:
        dates = DateRange(date.fromisoformat(span["start_date"]), date.fromisoformat(span["end_date"]))
        found = _counted(connection, question, dates)
    digits = numbers.minor_digits(currency)
    written = [_row(row, found.get(row.get("region"), {}), digits) for row in rows]
    keys = (*groups, *(name for name in _row({"net_revenue": "0", "orders": 0}, {}, 0)))
    return replace(revenue, rows=written, keys=keys)


def _row(revenue: Row, counted: Mapping[str, int], digits: int) -> Row:
    customers, new, repeat = (counted.get(name, 0) for name in COUNTED)
    return {
        **({"region": revenue["region"]} if "region" in revenue else {}),
        "customers": customers,
        "new_customers": new,
        "returning_customers": customers - new,
        "repeat_customers": repeat,
        "repeat_rate": numbers.ratio(repeat, customers),
        "orders": revenue["orders"],
        "net_revenue": revenue["net_revenue"],
        "average_order_value": revenue.get("average_order_value"),
    }


def _counted(
    connection: Connection, question: SummaryQuestion, span: DateRange
) -> dict[str | None, dict[str, int]]:
    data = data_range(connection, current_build(connection))
    statement = _statement(question, span, data or span)
    rows: list[tuple[Any, ...]] = connection.execute(statement).fetchall()
    if not question.by_region:
        rows = [(None, *row) for row in rows]
    return {region: dict(zip(COUNTED, (n or 0 for n in counts), strict=True)) for region, *counts in rows}


def _date(day: date) -> sql.Composable:
    return sql.SQL("{}::date").format(sql.Literal(day))


def _statement(question: SummaryQuestion, span: DateRange, data: DateRange) -> sql.Composed:
    keys = sql.SQL("region,") if question.by_region else sql.SQL("")
    parts: dict[str, sql.Composable] = {
        "keys": keys,
        "start": _date(span.start),
        "end": _date(span.end),
        "group": sql.SQL("group by region") if question.by_region else sql.SQL(""),
    }
    groups = ["region"] if question.by_region else []
    suffix = rollup_suffix(groups, question.filters)
    known = {"region": sql.Identifier("region"), "source": sql.Identifier("source")}
    if question.filters.keys() <= {"region"} and suffix is not None:
        months = whole_months(span, data)
        if months is not None:
            bounds = {"start": _date(months.start), "end": _date(months.end)}
            return _OF_MONTHS.format(
                of_regions=of_regions(groups, question.filters),
                conditions=conditions(known, question.filters),
                **(parts | bounds),
            )
        sequence = SEQUENCES[suffix]
        return _CHAINED.format(
            rows=sequence.rows,
            previous=sequence.previous,
            second_previous=sequence.second_previous,
            conditions=conditions(known, question.filters),
            **parts,
        )
    if question.filters.keys() <= known.keys():
        orders = sql.SQL("select * from marts.customer_orders where true {}").format(
            conditions(known, question.filters)
        )
    else:
        orders = _ORDERS_OF_LINES.format(
            keys=sql.SQL("lines.region,") if question.by_region else sql.SQL(""),
            joins=PRODUCT_JOIN if "category" in question.filters else sql.SQL(""),
            conditions=conditions({name: LINE_COLUMNS[name] for name in FILTERS}, question.filters),
        )
    return _COUNTED.format(orders=orders, **parts)
