"""What a page shows, as it stands in its address: a range of dates, a comparison, a grain, and filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pipeline.answers.comparison import Compare
from pipeline.answers.dates import GRAINS, DateRange

CUSTOM = "custom"
DEFAULT_RANGE = "last_12_months"
# In the order of the list; each is told from the last day of the data.
RANGES = {
    "last_30_days": "Last 30 days",
    "this_month": "Latest month",
    "last_month": "Month before",
    "last_90_days": "Last 90 days",
    "year_to_date": "Year to date",
    "last_12_months": "Last 12 months",
    "all": "All data",
    CUSTOM: "From … to …",
}
COMPARISONS = {
    "previous_period": "The period before",
    "previous_year": "A year earlier",
    "none": "Nothing",
}
_DEFAULT_COMPARISON = "previous_period"
# Filters and what they are called, in the order of their controls; all but products are groups, too.
FILTERS = {
    "category": "Category",
    "region": "Region",
    "product_id": "Product",
    "payment_method": "Payment method",
    "source": "Source",
}
# Beyond this a range is drawn by months instead of days.
_MOST_DAYS = 92


@dataclass(frozen=True)
class View:
    """What is asked for; dates are inclusive and None takes the data's own.

    ``range`` is a key of ``RANGES``; only ``CUSTOM`` has dates of its own. ``grain`` None chooses by the
    length of the range.
    """

    range: str = DEFAULT_RANGE
    start: date | None = None
    end: date | None = None
    comparison: str = _DEFAULT_COMPARISON
    grain: str | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def compare(self) -> Compare | None:
        """The API's name of the comparison."""
        return None if self.comparison == "none" else self.comparison  # type: ignore[return-value]

    def search(self) -> str:
        """The query of the page's address; what is by default is left out."""
        given: dict[str, Any] = {}
        if self.range == CUSTOM and (self.start or self.end):
            given |= {"start_date": self.start, "end_date": self.end}
        elif self.range != DEFAULT_RANGE:
            given["range"] = self.range
        if self.comparison != _DEFAULT_COMPARISON:
            given["compare"] = self.comparison
        given |= {"grain": self.grain} | dict(self.filters)
        query = urlencode({name: value for name, value in given.items() if value}, doseq=True)
        return f"?{query}" if query else ""


def read_view(search: str) -> tuple[View, list[str]]:
    """The view of an address's query, and the names of what could not be used and was left out."""
    view, unusable = View(), []
    filters: dict[str, list[str]] = {}
    for name, value in parse_qsl(search.removeprefix("?")):
        if name in FILTERS:
            filters.setdefault(name, []).append(value)
        elif name == "range" and value in RANGES:
            view = replace(view, range=value)
        elif name == "compare" and value in COMPARISONS:
            view = replace(view, comparison=value)
        elif name == "grain" and value in GRAINS:
            view = replace(view, grain=value)
        elif name in ("start_date", "end_date") and (day := _day(value)):
            which = name.removesuffix("_date")
            view = replace(view, range=CUSTOM, **{which: day})  # type: ignore[arg-type]
        else:
            unusable.append(name)
    return replace(view, filters=filters), unusable


def span_of(view: View, data: DateRange) -> tuple[date | None, date | None]:
    """The dates that a view's range means for these data; None where the data's own are meant."""
    end = data.end
    month = end.replace(day=1)
    match view.range:
        case "last_30_days":
            return end - timedelta(days=29), end
        case "last_90_days":
            return end - timedelta(days=89), end
        case "this_month":
            return month, end
        case "last_month":
            last = month - timedelta(days=1)
            return last.replace(day=1), last
        case "year_to_date":
            return end.replace(month=1, day=1), end
        case "last_12_months":
            return _months_back(month, 11), end
        case "all":
            return None, None
        case _:
            return view.start, view.end


def grain_of(start: date, end: date) -> str:
    """The grain that a range is drawn by unless another is asked for."""
    return "day" if (end - start).days < _MOST_DAYS else "month"


def _months_back(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(max(1, number // 12), number % 12 + 1, 1)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
