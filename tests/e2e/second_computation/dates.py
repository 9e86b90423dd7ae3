"""Buckets of time, and the range that another is compared with."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = {"month": 1, "quarter": 3, "year": 12}


def bounds(day: date, grain: str) -> tuple[date, date]:
    """The first and the last day of a day's bucket."""
    if grain == "day":
        return day, day
    if grain == "week":
        monday = day - timedelta(days=day.isoweekday() - 1)
        return monday, monday + timedelta(days=6)
    first = moved(day.replace(day=1), -((day.month - 1) % MONTHS[grain]))
    return first, moved(first, MONTHS[grain]) - timedelta(days=1)


def moved(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def buckets(start: date, end: date, grain: str) -> list[tuple[date, date]]:
    """Every bucket that touches the range."""
    made = [bounds(start, grain)]
    while made[-1][1] < end:
        made.append(bounds(made[-1][1] + timedelta(days=1), grain))
    return made


@dataclass(frozen=True)
class Other:
    """The range that another is compared with, and how far back it is."""

    start: date
    end: date
    months: int
    days: int

    def back(self, day: date) -> date:
        """The day that a day is compared with."""
        return moved(day, -self.months) - timedelta(days=self.days)


def other_range(start: date, end: date, grain: str | None, compare: str) -> Other:
    """The previous period, or the same a year earlier.

    A year is twelve months, for weeks 52 weeks. The previous period is as many buckets earlier as the
    range touches; without a grain as many months, when the range is whole months, else as many days.
    """
    is_to_months_end = (end + timedelta(days=1)).day == 1
    months = days = 0
    if compare == "previous_year":
        months, days = (0, 364) if grain == "week" else (12, 0)
    elif grain in MONTHS:
        months = len(buckets(start, end, grain)) * MONTHS[grain]
    elif grain == "week":
        days = 7 * len(buckets(start, end, grain))
    elif grain is None and start.day == 1 and is_to_months_end:
        months = len(buckets(start, end, "month"))
    else:
        days = (end - start).days + 1
    other = Other(start, end, months, days)
    last = other.back(end)
    if months and is_to_months_end:
        last = bounds(last, "month")[1]
    return Other(other.back(start), last, months, days)
