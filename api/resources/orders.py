"""Orders: the lines behind a number."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from apiflask import APIBlueprint
from flask import Response
from psycopg import Connection
from pydantic import Field

from api.access import principal, requires
from api.answering import answered
from api.documented import PAGING, analysis
from api.parameters import Text
from api.problems import Problem
from api.resources.filters import ExtraFilters, Paged, asked_filters, page_limit, units
from pipeline.answers.answer import Answer
from pipeline.answers.lines import LinesQuestion, lines
from pipeline.answers.models import Meta, Model, Money, PageInfo, Ratio
from pipeline.answers.revenue_models import Named

blueprint = APIBlueprint("orders", __name__, url_prefix="/api/v1/orders", tag="Orders")


class OrderAsked(ExtraFilters, Paged):
    """Which lines of the order."""


class LinesAsked(OrderAsked):
    """Which lines, and how much of the list."""

    order_id: list[Text] = Field(default=[], description="Orders; repeat for OR.")


class LineRow(Model):
    """One order line, and where it came from."""

    sale_date: date
    source: str
    order_id: str
    product: Named
    occurrence: int = Field(description="The how-manieth line of its order and product it is.")
    line_key: str = Field(description="What tells the line from the others of its order.")
    category: str
    customer: Named
    region: str
    payment_method: str
    quantity: int = Field(description="Below 0 for a return.")
    unit_price: Money
    discount: Ratio = Field(description="A fraction of the price.")
    shipping: Money
    unit_cost: Money | None
    gross_revenue: Money
    discounts: Money
    returns: Money
    net_revenue: Money
    tax: Money
    cost: Money | None
    batch_id: int | None = Field(
        description="The delivery that brought it. It, `file_name` and `row_number` are null for callers who "
        "are limited to regions: a delivery knows none."
    )
    file_name: str | None
    row_number: int | None = Field(description="The line of that file on which it begins.")


class LineList(Model):
    """Order lines, newest first."""

    data: list[LineRow]
    meta: Meta
    page: PageInfo


@blueprint.get("")
@blueprint.input(LinesAsked, location="query")
@analysis(blueprint, LineList, *PAGING)
@requires("analytics:read")
def get_orders(query_data: LinesAsked) -> Response:
    """The order lines behind a number: under the same dates and filters, their sum is the number."""
    question = _question(query_data, query_data.order_id)
    return answered(query_data, LineRow, partial(lines, question=question, **units()))


@blueprint.get("/<path:order_id>")
@blueprint.input(OrderAsked, location="query")
@analysis(blueprint, LineList, *PAGING)
@requires("analytics:read")
def get_order(order_id: str, query_data: OrderAsked) -> Response:
    """The lines of one order; sources number their orders by themselves, so `source` may be needed."""
    missing = Problem("not_found", f"There is no order {order_id[:200]!r} under these dates and filters.")
    if "\0" in order_id:
        raise missing
    question = _question(query_data, [order_id])

    def ask(connection: Connection) -> Answer:
        found = lines(connection, question, **units())
        if question.cursor is None and isinstance(found.rows, list) and not found.rows:
            raise missing
        return found

    return answered(query_data, LineRow, ask)


def _question(asked: OrderAsked, order_ids: Sequence[str]) -> LinesQuestion:
    return LinesQuestion(
        start=asked.start_date,
        end=asked.end_date,
        filters=asked_filters(asked),
        order_ids=order_ids,
        shows_origin=principal().regions is None,
        limit=page_limit(asked),
        cursor=asked.cursor,
    )
