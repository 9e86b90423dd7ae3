"""The products and customers there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from pipeline.answers import envelope
from pipeline.answers.answer import Answer, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import current_build

_PRODUCTS = sql.SQL("""
    select product_id, current_name as product_name, category, categories
    from core.dim_product
    cross join lateral (
        select
            array_agg(distinct version.category collate "C" order by version.category collate "C")
                as categories
        from core.dim_product as version
        where version.product_id = dim_product.product_id
    ) as every
    where
        is_current
        and (%(pattern)s::text is null or product_id ilike %(pattern)s or current_name ilike %(pattern)s)
        and (%(categories)s::text[] is null or categories && %(categories)s)
        and (
            %(regions)s::text[] is null
            or exists (
                select from marts.product_revenue_monthly as sold
                where sold.product_id = dim_product.product_id and sold.region = any(%(regions)s)
            )
        )
    order by product_id collate "C"
    limit %(limit)s offset %(offset)s
""")
_CUSTOMERS = sql.SQL("""
    select customer_id, customer_name, customer_email, customer_address
    from core.dim_customer
    where
        (
            %(pattern)s::text is null
            or customer_id ilike %(pattern)s
            or customer_name ilike %(pattern)s
            or customer_email ilike %(pattern)s
        )
        and (
            %(regions)s::text[] is null
            or exists (
                select from core.fct_order_lines as lines
                where lines.customer_id = dim_customer.customer_id and lines.region = any(%(regions)s)
            )
        )
    order by customer_id collate "C"
    limit %(limit)s offset %(offset)s
""")


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

    ``regions`` leaves out what was not sold in any of them.

    Raises:
        QueryError: nothing is published, or the cursor is of no use.
    """
    asked = {"search": search, "categories": categories, "regions": regions}
    return _listed(connection, _PRODUCTS, asked, limit, cursor, currency, time_zone)


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
    asked = {"search": search, "regions": regions}
    return _listed(connection, _CUSTOMERS, asked, limit, cursor, currency, time_zone)


def _listed(
    connection: Connection,
    statement: sql.SQL,
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
    with connection.cursor(row_factory=dict_row) as reading:
        rows = reading.execute(statement, values).fetchall()
    page, cursor_after = paged(rows, limit, build, offset, mark)
    return Answer(page, envelope.meta(build, None, currency, time_zone), cursor_after)


def _pattern(search: str | None) -> str | None:
    """What contains the text, as LIKE has it."""
    if search is None:
        return None
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
