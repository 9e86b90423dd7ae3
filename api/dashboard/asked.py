"""What the sections of a page are asked for, as the browser hands it from one to the other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from api.dashboard.asking import ask
from api.dashboard.view import View, grain_of, span_of
from pipeline.answers.dates import DateRange


@dataclass(frozen=True)
class Asked:
    """Dates as ISO texts (both inclusive), filters, comparison and grain, as the API's routes take them."""

    start_date: str | None
    end_date: str | None
    filters: Mapping[str, Sequence[str]]
    compare: str | None
    grain: str

    @property
    def dates(self) -> dict[str, Any]:
        """The range alone: for routes that know no filters."""
        return {"start_date": self.start_date, "end_date": self.end_date}

    @property
    def query(self) -> dict[str, Any]:
        """The range and the filters."""
        return self.dates | dict(self.filters)

    @property
    def compared(self) -> dict[str, Any]:
        """The range, the filters and the comparison."""
        return self.query | {"compare": self.compare}

    def stored(self) -> dict[str, Any]:
        """It for the browser; ``Asked(**stored)`` is it again."""
        return asdict(self)


def asked_by(view: View) -> Asked:
    """What a view asks for, with its range as dates of the published data.

    Raises:
        Refused: nothing is published yet, or the service cannot answer.
    """
    data = _data_range()
    start, end = span_of(view, data) if data else (view.start, view.end)
    grain = view.grain or (grain_of(start or data.start, end or data.end) if data else "month")
    return Asked(_written(start), _written(end), view.filters, view.compare, grain)


def _data_range() -> DateRange | None:
    found = ask("/api/v1/revenue/total").meta["range"]
    if found["start_date"] is None:
        return None
    return DateRange(date.fromisoformat(found["start_date"]), date.fromisoformat(found["end_date"]))


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
