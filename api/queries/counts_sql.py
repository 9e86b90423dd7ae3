"""The steps that count orders and customers: distinct within each group, never summed."""

from psycopg import sql

from api.queries.pieces import (
    COMMA,
    Shape,
    columns,
    group_by,
    group_key,
    key_items,
    left_join,
    where,
    zero_if_missing,
)
from api.queries.relations import LINE_COLUMNS, PRODUCT_JOIN

# Columns that core.fct_orders itself has.
ORDER_COLUMNS = frozenset(("source",))


def counts(shape: Shape, *, only_page: bool) -> dict[str, sql.Composable]:
    """The steps up to ``counts``: one row per group and bucket; ``only_page`` leaves other groups out."""
    if ORDER_COLUMNS.issuperset(shape.columns) and ORDER_COLUMNS.issuperset(shape.filters):
        touched, counted_orders = _buyers(shape), _counts_of_orders(shape)
    else:
        touched, counted_orders = _touched(shape, only_page=only_page), _counted_orders(shape)
    return {
        "touched": touched,
        "counted_orders": counted_orders,
        "counted_customers": _counted_customers(shape),
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


def _counts_of_orders(shape: Shape) -> sql.Composable:
    columns = {column: sql.Identifier(column) for column in ORDER_COLUMNS}
    day = sql.Identifier("order_date")
    return sql.SQL(
        "select {items} from core.fct_orders where {where} {group}"
    ).format(
        items=COMMA.join(
            [
                *key_items(shape, columns, day),
                sql.SQL("count(*) filter (where is_sale) as orders"),
                sql.SQL("count(*) filter (where not is_sale) as return_orders"),
            ]
        ),
        where=where(day, shape.span, columns, shape.filters),
        group=group_by(shape.keys),
    )  # fmt: skip


def _buyers(shape: Shape) -> sql.Composable:
    """Each sale's customer as its header has it; of the few orders that name several, all of them."""
    columns = {column: sql.Identifier("orders", column) for column in ORDER_COLUMNS}
    day = sql.Identifier("orders", "order_date")
    keys = key_items(shape, columns, day)
    return sql.SQL(
        "select {of_orders} from core.fct_orders as orders where orders.is_sale and {where}"
        " union all"
        " select {of_lines} from core.fct_orders as orders"
        " inner join core.fct_order_lines as lines using (source, order_id)"
        " where orders.has_several_customers and lines.quantity > 0 and {where}"
    ).format(
        of_orders=COMMA.join([*keys, sql.SQL("orders.is_sale, orders.customer_id as buyer")]),
        of_lines=COMMA.join([*keys, sql.SQL("orders.is_sale, lines.customer_id as buyer")]),
        where=where(day, shape.span, columns, shape.filters),
    )


def _touched(shape: Shape, *, only_page: bool) -> sql.Composable:
    """The orders of each group: those with a sale line in it, or a return line in a return document."""
    day = sql.SQL("orders.order_date")
    condition = where(day, shape.span, LINE_COLUMNS, shape.filters)
    if only_page:
        wanted = [group_key(column, LINE_COLUMNS[column]) for column in shape.columns]
        condition = sql.SQL("{} and ({}) in (select {} from page)").format(
            condition, COMMA.join(wanted), COMMA.join(columns(shape.columns))
        )
    uses_category = "category" in shape.columns or "category" in shape.filters
    return sql.SQL(
        "select {items} from core.fct_orders as orders"
        " inner join core.fct_order_lines as lines"
        " on lines.source = orders.source and lines.order_id = orders.order_id"
        " and (lines.quantity > 0) = orders.is_sale {joins} where {where}"
    ).format(
        items=COMMA.join(
            [
                *key_items(shape, LINE_COLUMNS, day),
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
