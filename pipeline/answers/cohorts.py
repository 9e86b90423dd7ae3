"""Cohorts: customers by the month of their first order, and how many of them came back, month by month."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import current_build
from pipeline.answers.dates import Bucket, DateRange, buckets, effective_range
from pipeline.answers.revenue import data_range

_COHORTS = """
with firsts as (
    select customer_id, date_trunc('month', min(order_date)::timestamp)::date as cohort
    from marts.customer_orders
    group by customer_id
),

sizes as (
    select cohort, count(*) as customers
    from firsts
    group by cohort
),

-- An order may have several customers: it is one order.
active as (
    select
        cohort,
        date_trunc('month', order_date::timestamp)::date as month,
        count(distinct customer_id) as customers,
        count(distinct (source, order_id)) as orders
    from marts.customer_orders
    inner join firsts using (customer_id)
    where order_date between %(start)s and %(end)s
    group by 1, 2
),

spent as (
    select
        customer_id,
        date_trunc('month', sale_date::timestamp)::date as month,
        sum(net_revenue) as net_revenue
    from core.fct_order_lines
    where customer_id is not null and sale_date between %(start)s and %(end)s
    group by 1, 2
),

revenue as (
    select cohort, month, sum(net_revenue) as net_revenue
    from spent
    inner join firsts using (customer_id)
    group by cohort, month
)

select
    sizes.cohort,
    sizes.customers,
    months.month,
    coalesce(active.customers, 0),
    coalesce(active.orders, 0),
    coalesce(revenue.net_revenue, 0)
from sizes
inner join unnest(%(months)s::date[]) as months (month) on months.month >= sizes.cohort
left join active on active.cohort = sizes.cohort and active.month = months.month
left join revenue on revenue.cohort = sizes.cohort and revenue.month = months.month
order by sizes.cohort, months.month
limit %(limit)s offset %(offset)s
"""


@dataclass(frozen=True)
class CohortsQuestion:
    """Which dates of the customers' later life count (inclusive, None takes the data's), and which page."""

    start: date | None = None
    end: date | None = None
    limit: int | None = None
    cursor: str | None = None


def cohorts(
    connection: Connection, question: CohortsQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """One row per cohort and month from its first one on, months without activity included.

    A customer's cohort is the month of its first order in all data; the range limits the orders
    and the revenue that count. There are no rows for months after the data's end.

    Raises:
        QueryError: the question cannot be answered.
    """
    build = current_build(connection)
    data = data_range(connection, build)
    span = effective_range(question.start, question.end, data)
    mark = fingerprint("cohorts", question.start, question.end)
    offset = offset_of(question.cursor, build, mark)
    months = _months(question, span, data)
    found = []
    if span and months:
        found = connection.execute(
            _COHORTS,
            {
                "start": span.start,
                "end": span.end,
                "months": list(months),
                "limit": fetched(question.limit),
                "offset": offset,
            },
        ).fetchall()
    digits = numbers.minor_digits(currency)
    rows = [_row(values, months, digits) for values in found]
    page, cursor = paged(rows, question.limit, build, offset, mark)
    return Answer(page, envelope.meta(build, span, currency, time_zone), cursor)


def _months(
    question: CohortsQuestion, span: DateRange | None, data: DateRange | None
) -> dict[date, Bucket]:  # fmt: skip
    """The months of the range in which there is data, by their first day."""
    if span is None or data is None or span.start > data.end or span.end < data.start:
        return {}
    known = DateRange(max(span.start, data.start), min(span.end, data.end))
    return {month.start: month for month in buckets(known, "month", question.start, question.end, data.end)}


def _row(values: tuple[Any, ...], months: dict[date, Bucket], digits: int) -> Row:
    cohort, size, start, customers, orders, net_revenue = values
    month = months[start]
    return {
        "cohort": cohort.isoformat(),
        "cohort_customers": size,
        "months_since": (start.year - cohort.year) * 12 + start.month - cohort.month,
        "bucket": {
            "start_date": month.start.isoformat(),
            "end_date": month.end.isoformat(),
            "is_partial": month.is_partial,
        },
        "customers": customers,
        "retention": numbers.ratio(customers, size),
        "orders": orders,
        "net_revenue": numbers.money(Decimal(net_revenue), digits),
    }
