"""The forms of the revenue answers; the measures come from their one list."""

from datetime import date
from typing import Any

from pydantic import ConfigDict, Field, create_model

from pipeline.answers.measures import MEASURES, Measure
from pipeline.answers.models import Meta, Model, Money, PageInfo, Ratio


class BucketModel(Model):
    """One bucket of time, by its full calendar dates."""

    start_date: date
    end_date: date
    is_partial: bool = Field(description="Cut by the asked range or by `data_as_of`.")


class Named(Model):
    """A thing with an id and its current name; both null for guests."""

    id: str | None
    name: str | None


def _field(measure: Measure) -> tuple[Any, Any]:
    kind: Any = {"money": Money, "count": int, "ratio": Ratio, "average": Ratio}[measure.kind]
    note = "" if measure.is_additive else " Not additive."
    return (
        kind | None if measure.is_nullable else kind,
        Field(description=f"{measure.words} {measure.formula}.{note}"),
    )


_measure_fields: dict[str, Any] = {measure.name: _field(measure) for measure in MEASURES}


class ComparedMoney(Model):
    """An amount in the other range, the difference from it, and the quotient by it."""

    previous: Money | None
    difference: Money | None
    ratio: Ratio | None = Field(description="This range's value ÷ the other's; null when undefined.")


class ComparedCount(Model):
    """A count in the other range, the difference from it, and the quotient by it."""

    previous: int | None
    difference: int | None
    ratio: Ratio | None


class ComparedRatio(Model):
    """A ratio or average in the other range, the difference from it, and the quotient by it."""

    previous: Ratio | None
    difference: Ratio | None
    ratio: Ratio | None


_COMPARED = {"money": ComparedMoney, "count": ComparedCount, "ratio": ComparedRatio, "average": ComparedRatio}
_compared_fields: dict[str, Any] = {measure.name: (_COMPARED[measure.kind], ...) for measure in MEASURES}
ComparedMeasures = create_model(
    "ComparedMeasures",
    __base__=Model,
    __doc__="Every measure beside its value in the other range.",
    **_compared_fields,
)
_comparison: Any = (ComparedMeasures | None, Field(None, description="There when `compare` was asked."))

RevenueTotal = create_model(
    "RevenueTotal",
    __base__=Model,
    __doc__="Every measure over the whole range.",
    **_measure_fields,
    comparison=_comparison,
)


class _Groups(Model):
    model_config = ConfigDict(
        json_schema_extra={
            "patternProperties": {r"^extra\..": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
        }
    )

    rank: int | None = Field(default=None, description="There in rankings.")
    bucket: BucketModel | None = Field(default=None, description="There when a grain was asked.")
    product: Named | None = None
    category: str | None = None
    region: str | None = None
    payment_method: str | None = None
    customer: Named | None = None
    source: str | None = None


RevenueRow = create_model(
    "RevenueRow",
    __base__=_Groups,
    __doc__="Every measure of one group and bucket; only the asked keys are there.",
    **_measure_fields,
    comparison=_comparison,
)


class TopList(Model):
    """The first groups of a ranking."""

    data: list[RevenueRow]
    meta: Meta


class RevenueList(Model):
    """Rows of revenue."""

    data: list[RevenueRow]
    meta: Meta
    page: PageInfo


class RevenueOne(Model):
    """Revenue as one row."""

    data: RevenueTotal
    meta: Meta
