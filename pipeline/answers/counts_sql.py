"""The steps that count orders and customers: distinct within each group and bucket.

Distinct counts are no sums of smaller ones. What is kept of them says when each customer bought before, so
that a range counts a customer once; what no rollup knows is counted on orders or lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from pipeline.answers.dates import DateRange
from pipeline.answers.pieces import (
    COMMA,
    Shape,
    columns,
    group_by,
    in_page,
    key_items,
    left_join,
    where,
    zero_if_missing,
)
from pipeline.answers.relations import PRODUCT_JOIN, line_columns

# What the rollups of orders and customers know.
_KNOWN = frozenset(("source", "region"))
# What the counts of whole months are kept by, each alone.
_PURCHASES = ("product_id", "category", "payment_method")


@dataclass(frozen=True)
class OrderSequence:
    """Which rows of ``customer_orders`` are in sequence, and what they know of the orders before them."""

    rows: sql.SQL
    previous: sql.Identifier
    second_previous: sql.Identifier


# By what ``rollup_suffix`` says: over all regions, where an order is one row, or within each.
SEQUENCES = {
    "": OrderSequence(
        sql.SQL("is_first_region"),
        sql.Identifier("previous_order_date"),
        sql.Identifier("second_previous_order_date"),
    ),
    "_by_region": OrderSequence(
        sql.SQL("true"),
        sql.Identifier("previous_order_date_in_region"),
        sql.Identifier("second_previous_order_date_in_region"),
    ),
}


def counts(shape: Shape, *, only_page: bool) -> dict[str, sql.Composable]:
    """The steps up to ``counts``: one row per group and bucket; ``only_page`` leaves other groups out."""
    involved = {*shape.columns, *shape.filters}
    if shape.months is not None and (group := _purchase_group(shape)) is not None:
        return {"counts": _purchases_of_months(shape, shape.months, group, only_page=only_page)}
    if involved <= _KNOWN and (suffix := rollup_suffix(shape.columns, shape.filters)) is not None:
        steps = {
            "counted_orders": _summed_orders(shape, suffix),
            "counted_customers": _counted_in_sequence(shape, suffix, is_by_source="source" in involved),
        }
    else:
        steps = {
            "touched": _touched(shape, only_page=only_page),
            "counted_orders": _counted_orders(shape),
            "counted_customers": (
                _customers_of_regions(shape) if involved <= _KNOWN else _counted_customers(shape)
            ),
        }
    return {
        **steps,
        "counts": sql.SQL("select {} from counted_orders {}").format(
            COMMA.join(
                [
                    *columns(shape.keys, "counted_orders"),
                    sql.SQL("orders, return_orders"),
                    zero_if_missing("counted_customers", "customers"),
                ]
            ),
            left_join("counted_customers", "counted_orders", shape.keys),
        ),
    }


def _purchase_group(shape: Shape) -> str | None:
    """The one column that is asked for, where purchases are counted by it; several values are not one."""
    [group, *others] = {*shape.columns, *shape.filters} or [""]
    is_one = group in shape.columns or len(shape.filters.get(group, ())) == 1
    return group if group in _PURCHASES and not others and is_one else None


def _purchases_of_months(
    shape: Shape, months: DateRange, group: str, *, only_page: bool
) -> sql.Composable:  # fmt: skip
    """All counts of whole months: a customer's earlier month of the same group is before the bucket."""
    month = sql.Identifier("order_month")
    known = {column: sql.Identifier(column) for column in _PURCHASES}
    of_group: list[sql.Composable] = [
        sql.SQL("{} {} ''").format(known[column], sql.SQL("<>" if column == group else "="))
        for column in _PURCHASES
    ]
    if only_page:
        of_group.append(in_page(shape.columns, known))
    return sql.SQL(
        "select {items} from marts.purchases_monthly where {where} and {of_group} {group}"
    ).format(
        items=COMMA.join(
            [
                *key_items(shape, known, month),
                sql.SQL("sum(orders) as orders, sum(return_orders) as return_orders"),
                sql.SQL("sum(customers) filter (where {}) as customers").format(_is_first(shape, months)),
            ]
        ),
        where=where(month, months, known, shape.filters),
        of_group=sql.SQL(" and ").join(of_group),
        group=group_by(shape.keys),
    )  # fmt: skip


def _is_first(shape: Shape, months: DateRange) -> sql.Composable:
    """Whether a month is the first of its customers in the bucket, by the month before it."""
    start: sql.Composable = sql.SQL("{}::date").format(sql.Literal(months.start))
    if shape.grain:
        start = sql.SQL("greatest(date_trunc({}, order_month::timestamp)::date, {})").format(
            sql.Literal(shape.grain), start
        )
    # Without an earlier one it is the calendar's first: a range may begin in it.
    return sql.SQL("earlier_month < {} or earlier_month = '0001-01-01'").format(start)


def rollup_suffix(groups: Sequence[str], filters: Mapping[str, Sequence[str]]) -> str | None:
    """Which rollups of orders count each order once: the plain ones, or those by region.

    None when several regions are counted together: an order may be in more than one of them.
    """
    if "region" in groups or len(filters.get("region", ())) == 1:
        return "_by_region"
    return None if "region" in filters else ""


def _summed_orders(shape: Shape, suffix: str) -> sql.Composable:
    """An order has one date, so that counts by day can be added up."""
    day = sql.Identifier("order_date")
    known = {column: sql.Identifier(column) for column in _KNOWN}
    return sql.SQL("select {items} from {table} where {where} {group}").format(
        items=COMMA.join(
            [
                *key_items(shape, known, day),
                sql.SQL("sum(orders)::bigint as orders, sum(return_orders)::bigint as return_orders"),
            ]
        ),
        table=sql.Identifier("marts", f"orders{suffix}_daily"),
        where=where(day, shape.span, known, shape.filters),
        group=group_by(shape.keys),
    )


def _counted_in_sequence(shape: Shape, suffix: str, *, is_by_source: bool) -> sql.Composable:
    """Customers of any regions, or of one: from the smallest place that has them."""
    # What is kept of customers runs over all sources.
    if shape.months is not None and not is_by_source:
        return _customers_of_months(shape, shape.months)
    if shape.grain == "day" and not is_by_source:
        return _customers_of_days(shape)
    return _chained_customers(shape, suffix, is_by_source)


def _customers_of_days(shape: Shape) -> sql.Composable:
    """Each day's customers, which are kept as they are: no other bucket can be made of them."""
    day = sql.Identifier("order_date")
    known = {"region": sql.Identifier("region")}
    return sql.SQL("select {items} from marts.customers_daily where {where} and {of_regions} {group}").format(
        items=COMMA.join([*key_items(shape, known, day), sql.SQL("sum(customers)::bigint as customers")]),
        where=where(day, shape.span, known, shape.filters),
        of_regions=of_regions(shape.columns, shape.filters),
        group=group_by(shape.keys),
    )


def _chained_customers(shape: Shape, suffix: str, is_by_source: bool) -> sql.Composable:
    """A customer is counted at the first of its orders in the bucket: the one whose previous is before it."""
    day = sql.Identifier("order_date")
    known = {column: sql.Identifier(column) for column in _KNOWN}
    start: sql.Composable = sql.SQL("{}::date").format(sql.Literal(shape.span.start))
    if shape.grain:
        start = sql.SQL("greatest(date_trunc({}, order_date::timestamp)::date, {})").format(
            sql.Literal(shape.grain), start
        )
    first = sql.SQL("count(*) filter (where {previous} is null or {previous} < {start})").format(
        previous=SEQUENCES[suffix].previous, start=start
    )
    return sql.SQL("select {items} from marts.customer_orders where {where} and {rows} {group}").format(
        items=COMMA.join(
            [
                *key_items(shape, known, day),
                sql.SQL("{} as customers").format(
                    # The chain runs over all sources.
                    sql.SQL("count(distinct customer_id)") if is_by_source else first
                ),
            ]
        ),
        where=where(day, shape.span, known, shape.filters),
        rows=SEQUENCES[suffix].rows,
        group=group_by(shape.keys),
    )


def _customers_of_months(shape: Shape, months: DateRange) -> sql.Composable:
    """The same, of whole months, from the counts of orders by the months of their previous ones."""
    day = sql.Identifier("order_month")
    known = {"region": sql.Identifier("region")}
    return sql.SQL(
        "select {items} from marts.customer_returns_monthly"
        " where {where} and step = 1 and {of_regions} {group}"
    ).format(
        items=COMMA.join(
            [
                *key_items(shape, known, day),
                sql.SQL("sum(orders) filter (where {})::bigint as customers").format(
                    _is_first(shape, months)
                ),
            ]
        ),
        where=where(day, months, known, shape.filters),
        of_regions=of_regions(shape.columns, shape.filters),
        group=group_by(shape.keys),
    )


def of_regions(groups: Sequence[str], filters: Mapping[str, Sequence[str]]) -> sql.SQL:
    """Which rows of the counts of customers by month or day count: of single regions, or of all in one."""
    return sql.SQL("region <> ''" if "region" in groups or "region" in filters else "region = ''")


def _customers_of_regions(shape: Shape) -> sql.Composable:
    """Customers of several regions together: distinct, over their orders instead of the lines."""
    day = sql.Identifier("order_date")
    known = {column: sql.Identifier(column) for column in _KNOWN}
    return sql.SQL(
        "select {items} from (select distinct {distinct} from marts.customer_orders where {where})"
        " as one {group}"
    ).format(
        items=COMMA.join([*columns(shape.keys), sql.SQL("count(*) as customers")]),
        distinct=COMMA.join([*key_items(shape, known, day), sql.Identifier("customer_id")]),
        where=where(day, shape.span, known, shape.filters),
        group=group_by(shape.keys),
    )


def _touched(shape: Shape, *, only_page: bool) -> sql.Composable:
    """The orders of each group: those with a sale line in it, or a return line in a return document."""
    day = sql.SQL("orders.order_date")
    known = line_columns({*shape.columns, *shape.filters})
    condition = where(day, shape.span, known, shape.filters)
    if only_page:
        condition = sql.SQL("{} and {}").format(condition, in_page(shape.columns, known))
    uses_category = "category" in shape.columns or "category" in shape.filters
    return sql.SQL(
        "select {items} from core.fct_orders as orders"
        " inner join core.fct_order_lines as lines"
        " on lines.source = orders.source and lines.order_id = orders.order_id"
        " and (lines.quantity > 0) = orders.is_sale {joins} where {where}"
    ).format(
        items=COMMA.join(
            [
                *key_items(shape, known, day),
                sql.SQL("orders.source as order_source, orders.order_id, orders.is_sale"),
                sql.SQL("lines.customer_id as buyer"),
            ]
        ),
        joins=PRODUCT_JOIN if uses_category else sql.SQL(""),
        where=condition,
    )


def _counted_orders(shape: Shape) -> sql.Composable:
    keys = columns(shape.keys)
    return sql.SQL(
        "select {items} from (select distinct {distinct} from touched) as one {group}"
    ).format(
        items=COMMA.join(
            [
                *keys,
                sql.SQL("count(*) filter (where is_sale) as orders"),
                sql.SQL("count(*) filter (where not is_sale) as return_orders"),
            ]
        ),
        distinct=COMMA.join([*keys, sql.SQL("order_source, order_id, is_sale")]),
        group=group_by(shape.keys),
    )  # fmt: skip


def _counted_customers(shape: Shape) -> sql.Composable:
    keys = columns(shape.keys)
    # Hashing distinct pairs is twice as fast as the sort that count(distinct …) needs.
    return sql.SQL(
        "select {items} from (select distinct {distinct} from touched where is_sale and buyer is not null)"
        " as one {group}"
    ).format(
        items=COMMA.join([*keys, sql.SQL("count(*) as customers")]),
        distinct=COMMA.join([*keys, sql.Identifier("buyer")]),
        group=group_by(shape.keys),
    )
