"""Customers' lifetime value, segments and cohorts: they know no regions, for customers move."""

from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from api.access import requires
from api.answering import answered, most_rows
from api.documented import PAGING, analysis
from api.parameters import COMMA_SEPARATED, IsoDate, Text
from api.resources.filters import Paged, Range, page_limit, units
from pipeline.answers.cohorts import CohortsQuestion, cohorts
from pipeline.answers.customer_models import (
    CohortList,
    CohortRow,
    CohortValueRow,
    CustomerValueRow,
    LifetimeList,
    MemberRow,
    SegmentList,
    SegmentRow,
)
from pipeline.answers.lifetime_value import YEAR_WEEKS, LifetimeQuestion, lifetime_value
from pipeline.answers.segments import QUINTILES, SegmentName, SegmentsQuestion, segments

blueprint = APIBlueprint("customer_analyses", __name__, url_prefix="/api/v1/customers", tag="Customers")

MOST_WEEKS = 520

Whole = Annotated[int, Field(ge=0, lt=2**31)]
Amount = Annotated[Decimal, Field(max_digits=26, decimal_places=12)]


class LifetimeAsked(Range, Paged):
    """Which dates count as realised, and what the prediction rests on."""

    calibration_end: IsoDate | None = Field(
        None, description="Fit the purchases until this day, and predict from it; default all of the data."
    )
    horizon_weeks: int = Field(YEAR_WEEKS, ge=1, le=MOST_WEEKS, description="The weeks to predict.")
    by: Literal["customer", "cohort"] = Field(
        "customer", description="Rows: customers, or months of first orders."
    )
    sort: list[Text] = Field(
        default=[],
        description="A column of the rows; `-` before it for descending order. Default: `-net_revenue`, "
        "or `cohort`. Ids break ties.",
        json_schema_extra=COMMA_SEPARATED,
    )


class SegmentsAsked(Range, Paged):
    """Which orders count, and where the scores are cut."""

    as_of: IsoDate | None = Field(
        None,
        description="Recency counts to this day, and nothing after it counts; default the data's end.",
    )
    cuts: list[Annotated[Decimal, Field(decimal_places=6)]] = Field(
        default=list(QUINTILES),
        description="Four rising fractions of the customers that part the scores; equals score equally.",
        json_schema_extra=COMMA_SEPARATED,
    )
    recency_cuts: list[Whole] = Field(
        default=[],
        description="Four rising numbers of days instead of fractions.",
        json_schema_extra=COMMA_SEPARATED,
    )
    frequency_cuts: list[Whole] = Field(
        default=[],
        description="Four rising numbers of orders instead of fractions.",
        json_schema_extra=COMMA_SEPARATED,
    )
    monetary_cuts: list[Amount] = Field(
        default=[],
        description="Four rising amounts instead of fractions.",
        json_schema_extra=COMMA_SEPARATED,
    )
    members: bool = Field(False, description="A row for each customer instead of each segment.")
    segment: list[SegmentName] = Field(default=[], description="Segments; repeat for OR.")


class CohortsAsked(Range, Paged):
    """Which months."""


@blueprint.get("/lifetime-value")
@blueprint.input(LifetimeAsked, location="query")
@analysis(blueprint, LifetimeList, *PAGING)
@requires("analytics:read", regional=False)
def get_lifetime_value(query_data: LifetimeAsked) -> Response:
    """What each customer brought in the range, and is expected to bring.

    Customers with an order in the range. Predictions are BG/NBD's purchases times Gamma-Gamma's
    value; `meta.model` has the parameters and the error on the hold-out period.
    """
    question = LifetimeQuestion(
        start=query_data.start_date,
        end=query_data.end_date,
        calibration_end=query_data.calibration_end,
        horizon_weeks=query_data.horizon_weeks,
        by=query_data.by,
        sort=tuple(query_data.sort),
        limit=page_limit(query_data),
        most=most_rows(),
        cursor=query_data.cursor,
    )
    row = CustomerValueRow if query_data.by == "customer" else CohortValueRow
    return answered(
        query_data, row, partial(lifetime_value, question=question, **units()), lines=_lines(query_data)
    )


@blueprint.get("/segments")
@blueprint.input(SegmentsAsked, location="query")
@analysis(blueprint, SegmentList, *PAGING)
@requires("analytics:read", regional=False)
def get_segments(query_data: SegmentsAsked) -> Response:
    """Customers by how recently, how often and for how much they bought.

    Scores run from 1 to 5. A cut point is the value at rank ⌈customers × fraction⌉; up to it, the
    lower score. The segment follows from the recency score and the mean of the other two.
    """
    question = SegmentsQuestion(
        as_of=query_data.as_of,
        start=query_data.start_date,
        end=query_data.end_date,
        fractions=tuple(query_data.cuts),
        recency_cuts=tuple(query_data.recency_cuts),
        frequency_cuts=tuple(query_data.frequency_cuts),
        monetary_cuts=tuple(query_data.monetary_cuts),
        members=query_data.members,
        segments=tuple(query_data.segment),
        limit=page_limit(query_data),
        cursor=query_data.cursor,
    )
    row = MemberRow if query_data.members else SegmentRow
    return answered(
        query_data, row, partial(segments, question=question, **units()), lines=_lines(query_data)
    )


@blueprint.get("/cohorts")
@blueprint.input(CohortsAsked, location="query")
@analysis(blueprint, CohortList, *PAGING)
@requires("analytics:read", regional=False)
def get_cohorts(query_data: CohortsAsked) -> Response:
    """Retention and revenue by the month of the first order, month by month.

    A customer's cohort is the month of its first order in all data; the range limits the orders
    and the revenue that count.
    """
    question = CohortsQuestion(
        start=query_data.start_date,
        end=query_data.end_date,
        limit=page_limit(query_data),
        cursor=query_data.cursor,
    )
    return answered(
        query_data, CohortRow, partial(cohorts, question=question, **units()), lines=_lines(query_data)
    )


def _lines(asked: Range) -> dict[str, str]:
    """The query for the lines behind an answer."""
    return {name: str(day) for name in ("start_date", "end_date") if (day := getattr(asked, name))}
