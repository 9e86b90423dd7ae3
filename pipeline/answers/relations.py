"""Where additive measures are kept, and the planner that picks the smallest place that can answer."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, timedelta

from psycopg import sql

from pipeline.answers.dates import DateRange, bucket_bounds
from pipeline.answers.extras import expression, is_extra
from pipeline.answers.measures import SUMS


@dataclass(frozen=True)
class Relation:
    """A published table with what it can be grouped by and the SQL of its sums."""

    table: sql.Composable
    day: sql.Composable
    columns: Mapping[str, sql.Composable]
    sums: Mapping[str, sql.Composable]
    # The join that a column needs, when it needs one.
    joins: Mapping[str, sql.Composable]
    # Whether it is a rollup of far more groups than a page has.
    has_many_groups: bool = False


def _rollup(
    table: str, day: str, columns: tuple[str, ...], *, has_many_groups: bool = False
) -> Relation:  # fmt: skip
    return Relation(
        table=sql.Identifier("marts", table),
        day=sql.Identifier(day),
        columns={column: sql.Identifier(column) for column in columns},
        sums={name: sql.SQL("sum({})").format(sql.Identifier(name)) for name in SUMS},
        joins={},
        has_many_groups=has_many_groups,
    )


REVENUE_DAILY = _rollup(
    "revenue_daily", "sale_date", ("source", "region", "category", "payment_method")
)  # fmt: skip
REVENUE_MONTHLY = _rollup(
    "revenue_monthly", "month_start", ("source", "region", "category", "payment_method")
)  # fmt: skip
REVENUE_BY_REGION_MONTHLY = _rollup("revenue_by_region_monthly", "month_start", ("source", "region"))
PRODUCT_REVENUE_MONTHLY = _rollup(
    "product_revenue_monthly", "month_start", ("product_id", "category", "region"), has_many_groups=True
)
REVENUE_BY_PRODUCT_MONTHLY = _rollup(
    "revenue_by_product_monthly", "month_start", ("product_id",), has_many_groups=True
)  # fmt: skip

PRODUCT_JOIN = sql.SQL("inner join core.dim_product as product on product.product_key = lines.product_key")

LINE_COLUMNS: Mapping[str, sql.Composable] = {
    "source": sql.SQL("lines.source"),
    "region": sql.SQL("lines.region"),
    "payment_method": sql.SQL("lines.payment_method"),
    "product_id": sql.SQL("lines.product_id"),
    "customer_id": sql.SQL("lines.customer_id"),
    "category": sql.SQL("product.category"),
}


def line_columns(names: Iterable[str]) -> Mapping[str, sql.Composable]:
    """What lines can be grouped and filtered by, with those of these names that only files have."""
    return {**LINE_COLUMNS, **{name: expression(name) for name in names if is_extra(name)}}


ORDER_LINES = Relation(
    table=sql.SQL("core.fct_order_lines as lines"),
    day=sql.SQL("lines.sale_date"),
    columns=LINE_COLUMNS,
    sums={
        "gross_revenue": sql.SQL("sum(lines.gross_revenue)"),
        "discounts": sql.SQL("sum(lines.discounts)"),
        "returns": sql.SQL("sum(lines.returns)"),
        "net_revenue": sql.SQL("sum(lines.net_revenue)"),
        "shipping": sql.SQL("sum(lines.shipping)"),
        "tax": sql.SQL("sum(lines.tax)"),
        "cost": sql.SQL("sum(lines.cost)"),
        "costed_net_revenue": sql.SQL("sum(lines.net_revenue) filter (where lines.cost is not null)"),
        "costed_line_count": sql.SQL("count(lines.cost)"),
        "units": sql.SQL("sum(lines.quantity) filter (where lines.quantity > 0)"),
        "units_returned": sql.SQL("-sum(lines.quantity) filter (where lines.quantity < 0)"),
    },
    joins={"category": PRODUCT_JOIN},
)


# Buckets of these grains may end within a month.
BELOW_MONTHS = ("day", "week")


@dataclass(frozen=True)
class Part:
    """A stretch of dates and the relation that answers for it."""

    relation: Relation
    span: DateRange


def plan(columns: Set[str], grain: str | None, span: DateRange, data: DateRange) -> list[Part]:
    """The relations that together give the additive measures over ``span``, the smallest that can.

    ``columns`` are those asked for by groups and filters. Whole months come from the monthly rollups
    and the edges from days or lines; a month counts as whole when no data lies outside
    the asked part of it.
    """
    if columns <= REVENUE_DAILY.columns.keys():
        if grain in BELOW_MONTHS:
            return [Part(REVENUE_DAILY, span)]
        is_of_regions = columns <= REVENUE_BY_REGION_MONTHLY.columns.keys()
        months = REVENUE_BY_REGION_MONTHLY if is_of_regions else REVENUE_MONTHLY
        return _months_and_edges(span, data, months, REVENUE_DAILY)
    if grain in BELOW_MONTHS or not columns <= PRODUCT_REVENUE_MONTHLY.columns.keys():
        return [Part(replace(ORDER_LINES, columns=line_columns(columns)), span)]
    is_of_products = columns <= REVENUE_BY_PRODUCT_MONTHLY.columns.keys()
    months = REVENUE_BY_PRODUCT_MONTHLY if is_of_products else PRODUCT_REVENUE_MONTHLY
    return _months_and_edges(span, data, months, ORDER_LINES)


def whole_months(span: DateRange, data: DateRange) -> DateRange | None:
    """The months that a range is the same as, by first and last day; None where it cuts some data off."""
    widened = _widened(span, data)
    months = bucket_bounds(widened.start, "month")[0], bucket_bounds(widened.end, "month")[1]
    return widened if months == (widened.start, widened.end) else None


def _widened(span: DateRange, data: DateRange) -> DateRange:
    """The range up to the ends of its first and last month, where there is no data before and after it."""
    return DateRange(
        bucket_bounds(span.start, "month")[0] if span.start <= data.start else span.start,
        bucket_bounds(span.end, "month")[1] if span.end >= data.end else span.end,
    )


def _months_and_edges(span: DateRange, data: DateRange, months: Relation, days: Relation) -> list[Part]:
    widened = _widened(span, data)
    start, end = widened.start, widened.end
    # Months are counted as numbers: the calendar ends, and "the day after" may not be there.
    first_month = _month_number(start) + (start.day > 1)
    last_month = _month_number(end) - (end < bucket_bounds(end, "month")[1])
    if first_month > last_month:
        return [Part(days, span)]
    first = date(first_month // 12, first_month % 12 + 1, 1)
    last = bucket_bounds(date(last_month // 12, last_month % 12 + 1, 1), "month")[1]
    parts = [Part(months, DateRange(first, last))]
    if start < first:
        parts.append(Part(days, DateRange(start, first - timedelta(days=1))))
    if last < end:
        parts.append(Part(days, DateRange(last + timedelta(days=1), end)))
    return parts


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1
