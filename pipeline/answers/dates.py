"""Ranges of dates and the buckets that cut them up."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from pipeline.answers.errors import QueryError

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[str, ...] = get_args(Grain)
MAX_BUCKETS = 20_000


@dataclass(frozen=True)
class DateRange:
    """A range of dates, both inclusive."""

    start: date
    end: date


@dataclass(frozen=True)
class Bucket:
    """One bucket of a grain, by its full calendar dates.

    ``is_partial``: the asked range or the data does not reach over all of it.
    """

    start: date
    end: date
    is_partial: bool


def effective_range(start: date | None, end: date | None, data: DateRange | None) -> DateRange | None:
    """The asked range, with what was not asked taken from the data; None for no data and no dates.

    Raises:
        QueryError: the start is after the end.
    """
    if start is not None and end is not None:
        if start > end:
            raise QueryError(
                "invalid_range",
                f"start_date {start} is after end_date {end}; both are inclusive, so ask for "
                f"start_date={end}&end_date={start} or for one day with two equal dates.",
                "start_date",
            )
        return DateRange(start, end)
    if start is not None:
        return DateRange(start, max(start, data.end) if data else start)
    if end is not None:
        return DateRange(min(end, data.start) if data else end, end)
    return data


def bucket_bounds(day: date, grain: str) -> tuple[date, date]:
    """First and last calendar day of the bucket in which ``day`` lies (ISO weeks)."""
    if grain == "day":
        return day, day
    if grain == "week":
        start = day - timedelta(days=day.weekday())
        return start, start + timedelta(days=min(6, (date.max - start).days))
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    first = (day.month - 1) // months * months + 1
    last = first + months - 1
    return date(day.year, first, 1), date(day.year, last, monthrange(day.year, last)[1])


def buckets(
    span: DateRange, grain: str, asked_start: date | None, asked_end: date | None, data_as_of: date | None
) -> list[Bucket]:
    """Every bucket of the range, in order, those without data too.

    Raises:
        QueryError: there are more than ``MAX_BUCKETS``.
    """
    made: list[Bucket] = []
    for start, end in _bounds(span, grain):
        if len(made) == MAX_BUCKETS:
            raise QueryError(
                "too_many_buckets",
                f"{span.start} to {span.end} has more than {MAX_BUCKETS} buckets of one {grain}; "
                "ask for a shorter range or a coarser grain.",
                "grain",
            )
        is_partial = (
            (asked_start is not None and start < asked_start)
            or (asked_end is not None and end > asked_end)
            or (data_as_of is not None and end > data_as_of)
        )
        made.append(Bucket(start, end, is_partial))
    return made


def _bounds(span: DateRange, grain: str) -> Iterator[tuple[date, date]]:
    day = span.start
    while True:
        start, end = bucket_bounds(day, grain)
        yield start, end
        if end >= span.end:
            return
        day = end + timedelta(days=1)
