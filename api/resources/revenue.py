"""Revenue: every measure, by group and by time."""

from functools import partial
from typing import Annotated

from apiflask import APIBlueprint
from flask import Response
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.access import requires
from api.answering import answered
from api.documented import PAGING, analysis
from api.parameters import COMMA_SEPARATED, Text
from api.resources.filters import ExtraFilters, Paged, asked_filters, lines_behind, page_limit, units
from pipeline.answers.comparison import Compare
from pipeline.answers.dates import Grain
from pipeline.answers.dimensions import GROUPS
from pipeline.answers.extras import is_extra
from pipeline.answers.revenue import SORT_NAMES, RevenueQuestion, answer
from pipeline.answers.revenue_models import RevenueList, RevenueOne, RevenueRow, RevenueTotal

blueprint = APIBlueprint("revenue", __name__, url_prefix="/api/v1/revenue", tag="Revenue")

LISTING = (*PAGING, "too_many_buckets")


def _known_group(name: str) -> str:
    if name not in GROUPS and not is_extra(name):
        choice = ", ".join(repr(group) for group in GROUPS)
        raise PydanticCustomError("group_literal_error", f"Input should be {choice} or extra.NAME")
    return name


def _known_sort(name: str) -> str:
    if name.removeprefix("-") not in SORT_NAMES and not is_extra(name.removeprefix("-")):
        raise ValueError(f"must be one of {', '.join(SORT_NAMES)}, with - before it for descending order")
    return name


Group = Annotated[
    str,
    AfterValidator(_known_group),
    WithJsonSchema({"anyOf": [{"enum": list(GROUPS)}, {"type": "string", "pattern": r"^extra\.."}]}),
]


class Total(ExtraFilters):
    """Filters, and a range to compare with."""

    compare: Compare | None = Field(
        None, description="Add the figures of the range before, or of a year earlier."
    )


class Listing(Total, Paged):
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

    group_by: list[Group] = Field(
        default=[],
        description="What to group by; several, by commas or repeated. `extra.NAME` is a column of the files "
        "that a source declares; lines without a value are the group null.",
        json_schema_extra=COMMA_SEPARATED,
    )


class Trend(Grouped):
    """A listing over time."""

    grain: Grain | None = Field("month", description="Cut the range into buckets (ISO weeks).")


@blueprint.get("")
@blueprint.input(Grouped, location="query")
@analysis(blueprint, RevenueList, *LISTING)
@requires("analytics:read")
def get_revenue(query_data: Grouped) -> Response:
    """Revenue by any groups and grain.

    Without group_by and grain, one row over the whole range.
    """
    return _list(query_data, tuple(query_data.group_by))


@blueprint.get("/total")
@blueprint.input(Total, location="query")
@analysis(blueprint, RevenueOne)
@requires("analytics:read")
def get_total(query_data: Total) -> Response:
    """Revenue over the whole range, as one object."""
    question = RevenueQuestion(
        start=query_data.start_date,
        end=query_data.end_date,
        filters=asked_filters(query_data),
        compare=query_data.compare,
    )
    ask = partial(answer, question=question, **units())
    return answered(query_data, RevenueTotal, ask, is_one=True, lines=lines_behind(query_data))


@blueprint.get("/by-product")
@blueprint.input(Listing, location="query")
@analysis(blueprint, RevenueList, *LISTING)
@requires("analytics:read")
def get_by_product(query_data: Listing) -> Response:
    """Revenue by product, under its current name."""
    return _list(query_data, ("product",))


@blueprint.get("/by-category")
@blueprint.input(Listing, location="query")
@analysis(blueprint, RevenueList, *LISTING)
@requires("analytics:read")
def get_by_category(query_data: Listing) -> Response:
    """Revenue by category, as sold."""
    return _list(query_data, ("category",))


@blueprint.get("/by-region")
@blueprint.input(Listing, location="query")
@analysis(blueprint, RevenueList, *LISTING)
@requires("analytics:read")
def get_by_region(query_data: Listing) -> Response:
    """Revenue by region."""
    return _list(query_data, ("region",))


@blueprint.get("/trend")
@blueprint.input(Trend, location="query")
@analysis(blueprint, RevenueList, *LISTING)
@requires("analytics:read")
def get_trend(query_data: Trend) -> Response:
    """Revenue over time, by month unless another grain is asked."""
    return _list(query_data, tuple(query_data.group_by))


def _list(asked: Listing, group_by: tuple[str, ...]) -> Response:
    question = RevenueQuestion(
        group_by=group_by,
        grain=asked.grain,
        start=asked.start_date,
        end=asked.end_date,
        filters=asked_filters(asked),
        sort=tuple(asked.sort),
        limit=page_limit(asked),
        cursor=asked.cursor,
        compare=asked.compare,
    )
    return answered(
        asked, RevenueRow, partial(answer, question=question, **units()), lines=lines_behind(asked)
    )
