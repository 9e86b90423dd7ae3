"""Revenue: every measure, by group and by time."""

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import AfterValidator, Field

from api import envelope
from api.documented import answers_with
from api.parameters import COMMA_SEPARATED, IsoDate, Page, Parameters, Text
from api.queries.dates import Grain
from api.queries.dimensions import FILTERS, GroupName
from api.queries.revenue import SORT_NAMES, Answer, RevenueQuestion, answer
from api.resources.revenue_models import RevenueList, RevenueOne
from api.responses import json_response
from api.services import services

blueprint = APIBlueprint("revenue", __name__, url_prefix="/api/v1/revenue", tag="Revenue")

READING = (
    "invalid_parameter", "invalid_value", "invalid_range", "no_build", "database_unavailable",
    "query_timeout",
)  # fmt: skip
LISTING = (*READING, "invalid_cursor", "stale_cursor", "too_many_buckets")


def _known_sort(name: str) -> str:
    if name.removeprefix("-") not in SORT_NAMES:
        raise ValueError(f"must be one of {', '.join(SORT_NAMES)}, with - before it for descending order")
    return name


class Filters(Parameters):
    """Which lines count; a repeated parameter is OR, different ones are AND."""

    start_date: IsoDate | None = Field(None, description="First day, inclusive; default the data's first.")
    end_date: IsoDate | None = Field(None, description="Last day, inclusive; default the data's last.")
    product_id: list[Text] = Field(default=[], description="Product ids; repeat for OR.")
    category: list[Text] = Field(default=[], description="Categories as sold; repeat for OR.")
    region: list[Text] = Field(default=[], description="Regions; repeat for OR.")
    payment_method: list[Text] = Field(default=[], description="Payment methods; repeat for OR.")
    customer_id: list[Text] = Field(default=[], description="Customer ids; repeat for OR.")
    source: list[Text] = Field(default=[], description="Sources; repeat for OR.")


class Listing(Filters, Page):
    """Filters, and the order and length of the list."""

    grain: Grain | None = Field(None, description="Cut the range into buckets (ISO weeks).")
    sort: list[Annotated[Text, AfterValidator(_known_sort)]] = Field(
        default=[],
        description="A measure, a group or `bucket`; `-` before it for descending order. Several, by commas "
        "or repeated. Default: buckets in order of time, groups by falling net revenue. Ids break ties.",
        json_schema_extra=COMMA_SEPARATED,
    )


class Grouped(Listing):
    """A listing with free groups."""

    group_by: list[GroupName] = Field(
        default=[],
        description="What to group by; several, by commas or repeated.",
        json_schema_extra=COMMA_SEPARATED,
    )


class Trend(Grouped):
    """A listing over time."""

    grain: Grain | None = Field("month", description="Cut the range into buckets (ISO weeks).")


@blueprint.get("")
@blueprint.input(Grouped, location="query")
@answers_with(blueprint, RevenueList, *LISTING)
def get_revenue(query_data: Grouped) -> Response:
    """Revenue by any groups and grain.

    Without group_by and grain, one row over the whole range.
    """
    return _list(query_data, tuple(query_data.group_by))


@blueprint.get("/total")
@blueprint.input(Filters, location="query")
@answers_with(blueprint, RevenueOne, *READING)
def get_total(query_data: Filters) -> Response:
    """Revenue over the whole range, as one object."""
    found = _answer(RevenueQuestion(**_asked(query_data)))
    return json_response({"data": found.rows[0], "meta": found.meta})


@blueprint.get("/by-product")
@blueprint.input(Listing, location="query")
@answers_with(blueprint, RevenueList, *LISTING)
def get_by_product(query_data: Listing) -> Response:
    """Revenue by product, under its current name."""
    return _list(query_data, ("product",))


@blueprint.get("/by-category")
@blueprint.input(Listing, location="query")
@answers_with(blueprint, RevenueList, *LISTING)
def get_by_category(query_data: Listing) -> Response:
    """Revenue by category, as sold."""
    return _list(query_data, ("category",))


@blueprint.get("/by-region")
@blueprint.input(Listing, location="query")
@answers_with(blueprint, RevenueList, *LISTING)
def get_by_region(query_data: Listing) -> Response:
    """Revenue by region."""
    return _list(query_data, ("region",))


@blueprint.get("/trend")
@blueprint.input(Trend, location="query")
@answers_with(blueprint, RevenueList, *LISTING)
def get_trend(query_data: Trend) -> Response:
    """Revenue over time, by month unless another grain is asked."""
    return _list(query_data, tuple(query_data.group_by))


def _list(asked: Listing, group_by: tuple[str, ...]) -> Response:
    found = _answer(
        RevenueQuestion(
            **_asked(asked),
            group_by=group_by,
            grain=asked.grain,
            sort=tuple(asked.sort),
            limit=asked.limit,
            cursor=asked.cursor,
        )
    )
    return json_response({"data": found.rows, "meta": found.meta, "page": envelope.page(found.next_cursor)})


def _asked(asked: Filters) -> dict[str, Any]:
    filters = {name: values for name in FILTERS if (values := getattr(asked, name))}
    return {"start": asked.start_date, "end": asked.end_date, "filters": filters}


def _answer(question: RevenueQuestion) -> Answer:
    settings = services().settings
    with services().database.snapshot() as connection:
        return answer(connection, question, currency=settings.currency, time_zone=settings.time_zone)
