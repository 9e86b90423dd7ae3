"""A range beside the one before it, or the same a year earlier."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal

from pipeline.answers import numbers
from pipeline.answers.dates import DateRange, bucket_bounds
from pipeline.answers.errors import QueryError
from pipeline.answers.measures import MEASURES, Measure

Compare = Literal["previous_period", "previous_year"]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Shift:
    """How far back the other range is: whole months, or days."""

    months: int = 0
    days: int = 0

    def back(self, day: date) -> date:
        """The day that a day is compared with; the last of its month where that has no such day.

        Raises:
            QueryError: it would lie before the calendar.
        """
        try:
            if self.days:
                return day - timedelta(days=self.days)
            number = day.year * 12 + day.month - 1 - self.months
            year, month = number // 12, number % 12 + 1
            return date(year, month, min(day.day, monthrange(year, month)[1]))
        except (ValueError, OverflowError) as error:
            raise QueryError(
                "invalid_range", f"There is no range before {day} to compare with.", "compare"
            ) from error

    def range(self, span: DateRange) -> DateRange:
        """The range to compare with; the end of a month goes with the end of a month."""
        end = self.back(span.end)
        if self.months and _ends_month(span.end):
            end = bucket_bounds(end, "month")[1]
        return DateRange(self.back(span.start), end)


def shift_of(compare: Compare, grain: str | None, span: DateRange) -> Shift:
    """How far back the range to compare with is.

    A year back is twelve months, for weeks 52 weeks. The previous period is as many buckets earlier as
    the range has; without a grain as many months, when the range is whole months, else as many days.
    """
    if compare == "previous_year":
        return Shift(days=364) if grain == "week" else Shift(months=12)
    if grain in _MONTHS:
        first, last = bucket_bounds(span.start, grain)[0], bucket_bounds(span.end, grain)[1]
        return Shift(months=_months_between(first, last))
    if grain == "week":
        first, last = bucket_bounds(span.start, "week")[0], bucket_bounds(span.end, "week")[1]
        return Shift(days=(last - first).days + 1)
    if grain is None and span.start.day == 1 and _ends_month(span.end):
        return Shift(months=_months_between(span.start, span.end))
    return Shift(days=(span.end - span.start).days + 1)


@dataclass(frozen=True)
class Measured:
    """The measures of a row as they are written in JSON, and its quotients before they were rounded."""

    written: Mapping[str, Any]
    quotients: Mapping[str, Fraction | None]

    def exact(self, name: str) -> Fraction | None:
        """A measure's exact value; None where it is undefined."""
        if name in self.quotients:
            return self.quotients[name]
        value = self.written[name]
        return None if value is None else Fraction(value)


def compared(now: Measured, earlier: Measured, digits: int) -> dict[str, Any]:
    """Each measure of the earlier range, the difference from it, and the quotient by it.

    ``digits`` are the currency's minor digits.
    """
    return {
        measure.name: {
            "previous": earlier.written[measure.name],
            **_compared(measure, now.exact(measure.name), earlier.exact(measure.name), digits),
        }
        for measure in MEASURES
    }


def _compared(measure: Measure, now: Fraction | None, before: Fraction | None, digits: int) -> dict[str, Any]:
    if now is None or before is None:
        return {"difference": None, "ratio": None}
    difference: Any = now - before
    if measure.kind == "count":
        difference = int(difference)
    elif measure.kind == "money":
        difference = numbers.money(numbers.decimal(difference), digits)
    else:
        difference = numbers.six_digits(difference)
    return {"difference": difference, "ratio": numbers.ratio(now, before)}


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _ends_month(day: date) -> bool:
    return day == bucket_bounds(day, "month")[1]
