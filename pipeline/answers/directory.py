"""The products and customers there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, sql

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import current_build
from pipeline.answers.streaming import Streamed

# Who may see some regions alone is told the categories of what was sold there, and no others.
_PRODUCTS = sql.SQL("""
    select
        product.product_id,
        product.current_name as product_name,
        case when product.category = any(categories) then product.category end as category,
        case when product.category = any(categories) then product.own_category end as own_category,
        categories,
        record.list_price,
        record.description,
        record.extra as attributes
    from core.dim_product as product
    left join core.dim_product_record as record on record.product_id = product.product_id
    cross join lateral (
        select array_agg(seen.category collate "C" order by seen.category collate "C") as categories
        from (
            select version.category
            from core.dim_product as version
            where version.product_id = product.product_id and %(regions)s::text[] is null
            union
            select sold.category
            from marts.product_revenue_monthly as sold
            where sold.product_id = product.product_id and sold.region = any(%(regions)s)
        ) as seen
    ) as every
    where
        product.is_current
        and categories is not null
        and (
            %(pattern)s::text is null
            or product.product_id ilike %(pattern)s
            or product.current_name ilike %(pattern)s
        )
        and (%(categories)s::text[] is null or categories && %(categories)s)
    order by product.product_id collate "C"
    limit %(limit)s offset %(offset)s
""")
_PRODUCT_KEYS = (
    "product_id", "product_name", "category", "own_category", "categories", "list_price", "description",
    "attributes",
)  # fmt: skip
_CUSTOMERS = sql.SQL("""
    select
        customer.customer_id,
        customer.customer_name,
        customer.customer_email,
        customer.customer_address,
        record.extra as attributes
    from core.dim_customer as customer
    left join core.dim_customer_record as record on record.customer_id = customer.customer_id
    where
        (
            %(pattern)s::text is null
            or customer.customer_id ilike %(pattern)s
            or customer.customer_name ilike %(pattern)s
            or customer.customer_email ilike %(pattern)s
        )
        and (
            %(regions)s::text[] is null
            or exists (
                select from core.fct_order_lines as lines
                where lines.customer_id = customer.customer_id and lines.region = any(%(regions)s)
            )
        )
    order by customer.customer_id collate "C"
    limit %(limit)s offset %(offset)s
""")
_CUSTOMER_KEYS = ("customer_id", "customer_name", "customer_email", "customer_address", "attributes")


def products(
    connection: Connection,
    *,
    search: str | None,
    categories: Sequence[str] | None,
    regions: Sequence[str] | None,
    limit: int | None,
    cursor: str | None,
    currency: str,
    time_zone: str,
) -> Answer:
    """The products by id, each with its current name and category and all categories it was sold in.

    ``regions`` leaves out what was not sold in any of them, categories too.

    Raises:
        QueryError: nothing is published, or the cursor is of no use.
    """
    asked = {"search": search, "categories": _list(categories), "regions": _list(regions)}
    return _listed(connection, _PRODUCTS, _PRODUCT_KEYS, asked, limit, cursor, currency, time_zone)


def customers(
    connection: Connection,
    *,
    search: str | None,
    regions: Sequence[str] | None,
    limit: int | None,
    cursor: str | None,
    currency: str,
    time_zone: str,
) -> Answer:
    """The customers by id; ``regions`` leaves out who has no line in any of them.

    Raises:
        QueryError: nothing is published, or the cursor is of no use.
    """
    asked = {"search": search, "regions": _list(regions)}
    return _listed(connection, _CUSTOMERS, _CUSTOMER_KEYS, asked, limit, cursor, currency, time_zone)


def _listed(
    connection: Connection,
    statement: sql.SQL,
    keys: tuple[str, ...],
    asked: Mapping[str, Any],
    limit: int | None,
    cursor: str | None,
    currency: str,
    time_zone: str,
) -> Answer:
    build = current_build(connection)
    mark = fingerprint(sorted(asked.items()))
    offset = offset_of(cursor, build, mark)
    values = {
        **asked,
        "pattern": _pattern(asked["search"]),
        "limit": fetched(limit),
        "offset": offset,
    }
    meta = envelope.meta(build, None, currency, time_zone)
    digits = numbers.minor_digits(currency)

    def make_row(found: tuple[Any, ...]) -> Row:
        row = dict(zip(keys, found, strict=True))
        if row.get("list_price") is not None:
            row["list_price"] = numbers.money(row["list_price"], digits)
        return row

    if limit is None:
        return Answer(Streamed(connection, statement, make_row, values), meta)
    rows = [make_row(found) for found in connection.execute(statement, values).fetchall()]
    page, cursor_after = paged(rows, limit, build, offset, mark)
    return Answer(page, meta, cursor_after)


def _list(values: Sequence[str] | None) -> list[str] | None:
    # A tuple would be sent as a composite.
    return None if values is None else list(values)


def _pattern(search: str | None) -> str | None:
    """What contains the text, as LIKE has it."""
    if search is None:
        return None
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
