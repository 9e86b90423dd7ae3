"""Which dates a report is about, what they are compared with, and how they are cut."""

from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.answers.comparison import shift_of
from pipeline.answers.dates import DateRange, bucket_bounds, effective_range
from pipeline.answers.errors import QueryError

# The most days that are still told apart as such, and as weeks and months.
_DAYS = {"day": 31, "week": 183, "month": 1830}


@dataclass(frozen=True)
class Period:
    """The dates of a report, and why it is these."""

    span: DateRange
    why: str


def chosen_period(start: date | None, end: date | None, data: DateRange | None) -> Period:
    """The dates that were asked for, else the last whole month of the data, else all of it.

    Raises:
        QueryError: the start is after the end, or there is no data to take a date from.
    """
    span = effective_range(start, end, data)
    if span is None:
        raise QueryError(
            "no_build", "No sales are published, so there is nothing to tell: load a file, then ask again."
        )
    if start is not None or end is not None:
        return Period(span, "as asked")
    month = _last_whole_month(span)
    if month is None:
        return Period(span, "all of the data, which has no whole month")
    return Period(month, "the last whole month of the data")


def earlier_period(span: DateRange, data: DateRange | None) -> DateRange | None:
    """The dates before, as many of them; None where the data does not begin before ``span``."""
    if data is None or span.start <= data.start:
        return None
    try:
        return shift_of("previous_period", None, span).range(span)
    except QueryError:
        # It would begin before the calendar does.
        return None


def within_data(span: DateRange, data: DateRange | None) -> DateRange | None:
    """The part of the dates of which there is data."""
    if data is None or span.end < data.start or data.end < span.start:
        return None
    return DateRange(max(span.start, data.start), min(span.end, data.end))


def fitting_grain(span: DateRange) -> str:
    """The finest grain that cuts the dates into as many buckets as a chart shows well."""
    days = (span.end - span.start).days + 1
    return next((grain for grain, most in _DAYS.items() if days <= most), "year")


def _last_whole_month(data: DateRange) -> DateRange | None:
    first, last = bucket_bounds(data.end, "month")
    if data.end < last:
        first, last = bucket_bounds(first - timedelta(days=1), "month")
    return DateRange(first, last) if data.start <= first else None
