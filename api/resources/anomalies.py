"""Days whose revenue is far from what weekday and season suggest."""

from datetime import date
from functools import partial

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from api.access import requires
from api.answering import answered
from api.documented import PAGING, analysis
from api.resources.filters import Paged, Range, page_limit, units
from pipeline.answers.anomalies import AnomaliesQuestion, anomalies
from pipeline.answers.models import Meta, Model, Money, PageInfo, Ratio

blueprint = APIBlueprint("anomalies", __name__, url_prefix="/api/v1/revenue", tag="Revenue")


class AnomaliesAsked(Range, Paged):
    """Which days."""

    every_day: bool = Field(False, description="Ordinary days, too.")


class AnomalyRow(Model):
    """One day beside what was to be expected; null where too few days are alike."""

    sale_date: date
    weekday: int = Field(description="1 is Monday, 7 is Sunday.")
    net_revenue: Money
    expected: Money | None = Field(description="The median of the same weekday in the weeks around.")
    spread: Money | None = Field(description="How far such days usually are from it (1.4826 × the MAD).")
    score: Ratio | None = Field(description="(net_revenue − expected) ÷ spread.")
    is_anomaly: bool = Field(description="Whether the score is beyond 3.5, either way.")


class AnomalyList(Model):
    """Days in order of time."""

    data: list[AnomalyRow]
    meta: Meta
    page: PageInfo


@blueprint.get("/anomalies")
@blueprint.input(AnomaliesAsked, location="query")
@analysis(blueprint, AnomalyList, *PAGING)
@requires("analytics:read", regional=False)
def get_anomalies(query_data: AnomaliesAsked) -> Response:
    """Days far from what their weekday and season suggest, by robust statistics."""
    question = AnomaliesQuestion(
        start=query_data.start_date,
        end=query_data.end_date,
        every_day=query_data.every_day,
        limit=page_limit(query_data),
        cursor=query_data.cursor,
    )
    return answered(query_data, AnomalyRow, partial(anomalies, question=question, **units()))
