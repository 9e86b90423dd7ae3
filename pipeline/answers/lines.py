"""The lines behind a number, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from psycopg import Connection, sql

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row, fetched, fingerprint, resumed
from pipeline.answers.builds import current_build
from pipeline.answers.dates import DateRange, effective_range
from pipeline.answers.extras import require_declared
from pipeline.answers.pieces import conditions, where
from pipeline.answers.relations import PRODUCT_JOIN, line_columns
from pipeline.answers.revenue import data_range
from pipeline.answers.streaming import Flat, Streamed

AMOUNTS = (
    "unit_price",
    "shipping",
    "gross_revenue",
    "discounts",
    "returns",
    "net_revenue",
    "tax",
    "unit_cost",
    "cost",
)
_ORIGIN = ("batch_id", "file_name", "row_number")
_COLUMNS = (
    "sale_date", "source", "order_id", "product_id", "occurrence", "line_key", "product_name", "category",
    "customer_id", "customer_name", "region", "payment_method", "quantity", "discount", *AMOUNTS, *_ORIGIN,
)  # fmt: skip
# Falling in every part, so that one comparison of rows finds where the next page begins.
_ORDER = sql.SQL(
    "lines.sale_date, lines.source, lines.order_id, lines.product_id, lines.occurrence, lines.line_key"
)
_CURSOR = (date, str, str, str, int, str)
_STATEMENT = sql.SQL("""
    select
        lines.sale_date, lines.source, lines.order_id, lines.product_id, lines.occurrence,
        lines.line_key, coalesce(named.current_name, lines.product_id) as product_name, product.category,
        lines.customer_id, customer.customer_name, lines.region, lines.payment_method, lines.quantity,
        lines.discount, {amounts}, {origin}
    from core.fct_order_lines as lines
    inner join core.dim_product as product on product.product_key = lines.product_key
    left join core.dim_product as named on named.product_id = lines.product_id and named.is_current
    left join core.dim_customer as customer on customer.customer_id = lines.customer_id
    left join core.batches as batches on batches.batch_id = lines.batch_id
    where {where} {after}
    order by
        lines.sale_date desc, lines.source desc, lines.order_id desc, lines.product_id desc,
        lines.occurrence desc, lines.line_key desc
    limit {limit}
""")
_COUNT = sql.SQL("""
    select count(*)
    from (select from core.fct_order_lines as lines {joins} where {where} {beyond} limit {most}) as counted
""")
_SHOWN_ORIGIN = sql.SQL("lines.batch_id, batches.file_name, lines.row_number")
_HIDDEN_ORIGIN = sql.SQL("null::bigint as batch_id, null::text as file_name, null::integer as row_number")


@dataclass(frozen=True)
class LinesQuestion:
    """Which lines; dates inclusive, None takes the data's. ``limit`` None asks for every line.

    ``shows_origin`` False leaves out which delivery brought a line.
    """

    start: date | None = None
    end: date | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    order_ids: Sequence[str] = ()
    shows_origin: bool = True
    limit: int | None = None
    cursor: str | None = None


def lines(connection: Connection, question: LinesQuestion, *, currency: str, time_zone: str) -> Answer:
    """The published order lines, each with the file and the line in it that brought it.

    Raises:
        QueryError: the question cannot be answered.
    """
    build = current_build(connection)
    require_declared(connection, (), question.filters)
    span = effective_range(question.start, question.end, data_range(connection, build))
    meta = envelope.meta(build, span, currency, time_zone)
    if span is None:
        return Answer([], meta)
    mark = fingerprint(replace(question, limit=None, cursor=None))
    statement = _statement(question, span, resumed(question.cursor, build, mark, *_CURSOR))
    digits = numbers.minor_digits(currency)

    if question.limit is None:
        flat = Flat(statement, partial(_count, question, span), digits)
        return Answer(Streamed(connection, statement, partial(_row, digits=digits), flat=flat), meta)
    rows = [_row(values, digits) for values in connection.execute(statement).fetchall()]
    cursor = None
    if len(rows) > question.limit:
        last = rows[question.limit - 1]
        keys = [last[name] for name in ("sale_date", "source", "order_id")]
        keys += [last["product"]["id"], last["occurrence"], last["line_key"]]
        cursor = envelope.make_cursor(build.build_id, mark, *keys)
    return Answer(rows[: question.limit], meta, cursor)


def _statement(question: LinesQuestion, span: DateRange, after: Sequence[Any] | None) -> sql.Composed:
    beyond = _of_orders(question)
    if after is not None:
        values = sql.SQL(", ").join(map(sql.Literal, after))
        beyond = sql.SQL("{} and ({}) < ({})").format(beyond, _ORDER, values)
    return _STATEMENT.format(
        amounts=sql.SQL(", ").join(sql.Identifier("lines", name) for name in AMOUNTS),
        origin=_SHOWN_ORIGIN if question.shows_origin else _HIDDEN_ORIGIN,
        where=_where(question, span),
        after=beyond,
        limit=sql.Literal(fetched(question.limit)),
    )


def _count(question: LinesQuestion, span: DateRange, most: int) -> sql.Composed:
    return _COUNT.format(
        joins=PRODUCT_JOIN if "category" in question.filters else sql.SQL(""),
        where=_where(question, span),
        beyond=_of_orders(question),
        most=sql.Literal(most),
    )


def _where(question: LinesQuestion, span: DateRange) -> sql.Composable:
    return where(sql.SQL("lines.sale_date"), span, line_columns(question.filters), question.filters)


def _of_orders(question: LinesQuestion) -> sql.Composable:
    if not question.order_ids:
        return sql.SQL("")
    return conditions({"order_id": sql.SQL("lines.order_id")}, {"order_id": question.order_ids})


def _row(values: Sequence[Any], digits: int) -> Row:
    row = dict(zip(_COLUMNS, values, strict=True))
    customer_id, customer_name = row.pop("customer_id"), row.pop("customer_name")
    return {
        "sale_date": row.pop("sale_date").isoformat(),
        "source": row.pop("source"),
        "order_id": row.pop("order_id"),
        "product": {"id": row.pop("product_id"), "name": row.pop("product_name")},
        "occurrence": row.pop("occurrence"),
        "line_key": row.pop("line_key"),
        "customer": {"id": customer_id, "name": customer_name},
        "discount": numbers.half_up(Decimal(row.pop("discount")), numbers.RATIO_DIGITS),
        **{
            name: numbers.money(value, digits) if name in AMOUNTS and value is not None else value
            for name, value in row.items()
        },
    }
