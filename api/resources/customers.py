"""Customers: how many there are, and the list of them."""

from functools import partial
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from api.access import principal, requires
from api.answering import answered
from api.documented import PAGING, analysis
from api.parameters import Text
from api.resources.filters import Filters, Paged, asked_filters, lines_behind, page_limit, units
from pipeline.answers.customers import SummaryQuestion, summary
from pipeline.answers.directory import customers
from pipeline.answers.models import Attributes, Meta, Model, Money, PageInfo, Ratio

blueprint = APIBlueprint("customers", __name__, url_prefix="/api/v1/customers", tag="Customers")


class SummaryAsked(Filters):
    """Which lines, and whether each region is told apart."""

    group_by: Literal["region"] | None = Field(None, description="A row for each region.")


class CustomersAsked(Paged):
    """Which customers."""

    search: Text | None = Field(None, description="What the id, the name or the e-mail address contains.")


class SummaryRow(Model):
    """Customers and their orders; guests have orders, but are no customers."""

    region: str | None = Field(default=None, description="There when grouped by region.")
    customers: int = Field(description="Customers with an order in the range.")
    new_customers: int = Field(description="Those without an older order under the same filters.")
    returning_customers: int = Field(description="The others.")
    repeat_customers: int = Field(description="Those with two orders or more in the range.")
    repeat_rate: Ratio | None = Field(description="repeat_customers ÷ customers.")
    orders: int = Field(description="Orders, those of guests included.")
    net_revenue: Money
    average_order_value: Ratio | None = Field(description="net_revenue ÷ orders.")


class SummaryList(Model):
    """One row, or one for each region."""

    data: list[SummaryRow]
    meta: Meta


class CustomerRow(Model):
    """One customer, with the latest that the lines say, else the feed of customers."""

    customer_id: str
    customer_name: str | None
    customer_email: str | None
    customer_address: str | None
    attributes: Attributes | None


class CustomerList(Model):
    """Customers by id."""

    data: list[CustomerRow]
    meta: Meta
    page: PageInfo


@blueprint.get("/summary")
@blueprint.input(SummaryAsked, location="query")
@analysis(blueprint, SummaryList)
@requires("analytics:read")
def get_summary(query_data: SummaryAsked) -> Response:
    """The number of customers and of orders, the average order, and who is new or came again."""
    question = SummaryQuestion(
        start=query_data.start_date,
        end=query_data.end_date,
        filters=asked_filters(query_data),
        by_region=query_data.group_by == "region",
    )
    ask = partial(summary, question=question, **units())
    return answered(query_data, SummaryRow, ask, lines=lines_behind(query_data), has_pages=False)


@blueprint.get("")
@blueprint.input(CustomersAsked, location="query")
@analysis(blueprint, CustomerList, *PAGING)
@requires("analytics:read")
def get_customers(query_data: CustomersAsked) -> Response:
    """The customers, by id: search them by name or e-mail address."""
    ask = partial(
        customers,
        search=query_data.search,
        regions=principal().regions,
        limit=page_limit(query_data),
        cursor=query_data.cursor,
        **units(),
    )
    return answered(query_data, CustomerRow, ask)
