"""The forms of the answers that several resources share, for the documentation and its tests."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Money = Annotated[
    str,
    Field(
        pattern=r"^-?\d+(\.\d+)?$",
        description="An exact decimal with at least the currency's minor digits.",
        examples=["180.00", "4712.5675"],
    ),
]
Ratio = Annotated[
    str, Field(pattern=r"^-?\d+\.\d{6}$", description="Six digits, half up.", examples=["0.166667"])
]


Attributes = Annotated[
    dict[str, str],
    Field(description="The other columns of the record's file; in other formats than JSON, their JSON text."),
]


class Model(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(extra="forbid")


class Range(Model):
    """The dates that the figures cover, both inclusive; null when there is no data and none were asked."""

    start_date: date | None
    end_date: date | None


class Comparison(Model):
    """The range that figures are compared with."""

    kind: str
    range: Range


class MeasureInWords(Model):
    """A measure's definition."""

    name: str
    words: str
    formula: str


class Explanation(Model):
    """Where the numbers come from."""

    measures: list[MeasureInWords]
    tables: list[str]
    statements: list[str] = Field(description="The SQL that answered, with its values.")
    lines: str | None = Field(description="Where the lines behind the numbers are.")


class Meta(Model):
    """What every figure must be read with."""

    currency: str
    time_zone: str
    range: Range
    build_id: int = Field(description="The build that the numbers come from.")
    data_as_of: date | None = Field(description="The latest published sale date.")
    built_at: datetime | None
    non_additive: list[str] = Field(description="Measures that must not be summed over rows.")
    definitions: str = Field(description="Where each measure is defined.")
    comparison: Comparison | None = Field(None, description="There when `compare` was asked.")
    explain: Explanation | None = Field(None, description="There when `explain=true` was asked.")


class PageInfo(Model):
    """Where a list goes on."""

    next_cursor: str | None
    has_more: bool


class ProblemError(Model):
    """One thing that is wrong with a request."""

    parameter: str
    code: str
    detail: str


class ProblemModel(BaseModel):
    """An RFC 9457 problem."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str = Field(description="This occurrence.")
    request_id: str = Field(description="The id under which the service's log has this request.")
    errors: list[ProblemError] = Field(default_factory=list)


Counts = dict[str, Any]
