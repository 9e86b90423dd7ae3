"""Products: the best of them, their margins, and the list of them."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from apiflask import APIBlueprint
from flask import Response
from psycopg import Connection
from pydantic import Field

from api.access import principal, requires
from api.answering import answered
from api.documented import PAGING, analysis
from api.parameters import Text
from api.resources.filters import Filters, Paged, asked_filters, lines_behind, page_limit, units
from pipeline.answers import numbers
from pipeline.answers.answer import Answer, Row
from pipeline.answers.directory import products
from pipeline.answers.models import Attributes, Meta, Model, Money, PageInfo, Ratio
from pipeline.answers.pieces import Top
from pipeline.answers.revenue import RevenueQuestion, answer
from pipeline.answers.revenue_models import Named, RevenueRow, TopList
from pipeline.answers.streaming import Streamed

blueprint = APIBlueprint("products", __name__, url_prefix="/api/v1/products", tag="Products")

_MEASURES = {"revenue": "-net_revenue", "quantity": "-net_units"}
_MARGIN_SORT = ("-margin", "-net_revenue")


class TopAsked(Filters):
    """How many products, by what, and within what."""

    n: Annotated[int, Field(ge=1, le=500, description="How many, of each group.")] = 10
    by: Literal["revenue", "quantity"] = Field("revenue", description="Net revenue, or net units.")
    within: Literal["category", "region"] | None = Field(None, description="The first n of each.")


class MarginsAsked(Filters, Paged):
    """Which lines, and how much of the list."""


class ProductsAsked(Paged):
    """Which products."""

    search: Text | None = Field(None, description="What the id or the name contains, in any case.")
    category: list[Text] = Field(default=[], description="Sold in this category; repeat for OR.")


class MarginRow(Model):
    """The profit of one product; null where no cost is known, never 0."""

    product: Named
    net_revenue: Money
    cost: Money | None
    margin: Money | None = Field(description="Net revenue − cost, over the lines whose cost is known.")
    margin_rate: Ratio | None = Field(description="margin ÷ the net revenue of those lines.")
    cost_coverage: Ratio | None = Field(description="The share of net revenue whose cost is known.")
    net_units: int


class MarginList(Model):
    """Products by falling margin."""

    data: list[MarginRow]
    meta: Meta
    page: PageInfo


class ProductRow(Model):
    """One product that was sold, under its current name, with what the feed of products says of it."""

    product_id: str
    product_name: str
    category: str | None = Field(
        description="The current one; null for callers limited to regions in which it was not sold so."
    )
    own_category: str | None = Field(
        description="It as the lines have it: `Unspecified` when the category is the feed's."
    )
    categories: list[str] = Field(description="All that it was sold in, in the caller's regions.")
    list_price: Money | None = Field(description="It, the description and the attributes are the feed's.")
    description: str | None
    attributes: Attributes | None


class ProductList(Model):
    """Products by id."""

    data: list[ProductRow]
    meta: Meta
    page: PageInfo


@blueprint.get("/top")
@blueprint.input(TopAsked, location="query")
@analysis(blueprint, TopList)
@requires("analytics:read")
def get_top(query_data: TopAsked) -> Response:
    """The first n products by revenue or quantity: of all, of each category, or of each region.

    Products that are equal are ranked by id.
    """
    within = (query_data.within,) if query_data.within else ()
    question = RevenueQuestion(
        group_by=(*within, "product"),
        start=query_data.start_date,
        end=query_data.end_date,
        filters=asked_filters(query_data),
        sort=(_MEASURES[query_data.by],),
        top=Top(query_data.n, within),
    )
    ask = partial(answer, question=question, **units())
    return answered(query_data, RevenueRow, ask, lines=lines_behind(query_data), has_pages=False)


@blueprint.get("/margins")
@blueprint.input(MarginsAsked, location="query")
@analysis(blueprint, MarginList, *PAGING)
@requires("analytics:read")
def get_margins(query_data: MarginsAsked) -> Response:
    """Profit margin by product, the largest first, with the share of revenue whose cost is known."""
    question = RevenueQuestion(
        group_by=("product",),
        start=query_data.start_date,
        end=query_data.end_date,
        filters=asked_filters(query_data),
        sort=_MARGIN_SORT,
        limit=page_limit(query_data),
        cursor=query_data.cursor,
    )

    def ask(connection: Connection) -> Answer:
        found = answer(connection, question, **units())
        rows = found.rows
        changed = rows.mapped(_margin) if isinstance(rows, Streamed) else [_margin(row) for row in rows]
        return replace(found, rows=changed, keys=None)

    return answered(query_data, MarginRow, ask, lines=lines_behind(query_data))


@blueprint.get("")
@blueprint.input(ProductsAsked, location="query")
@analysis(blueprint, ProductList, *PAGING)
@requires("analytics:read")
def get_products(query_data: ProductsAsked) -> Response:
    """The products, by id: search them by name, filter them by category."""
    ask = partial(
        products,
        search=query_data.search,
        categories=query_data.category or None,
        regions=principal().regions,
        limit=page_limit(query_data),
        cursor=query_data.cursor,
        **units(),
    )
    return answered(query_data, ProductRow, ask)


def _margin(row: Row) -> Row:
    margin_rate = numbers.margin_rate(row["margin"], row["cost"])
    return {name: margin_rate if name == "margin_rate" else row[name] for name in MarginRow.model_fields}
