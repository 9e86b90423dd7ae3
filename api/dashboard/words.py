"""Figures as people read them. The exact ones are in the API's answers, and in the files of each chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

LOCALE = "en_US"
NONE = "–"


def money(value: str | None, currency: str) -> str:
    """An amount in its currency, rounded to the currency's own digits."""
    return NONE if value is None else format_currency(Decimal(value), currency, locale=LOCALE)


def count(value: int | None) -> str:
    """A whole number."""
    return NONE if value is None else format_decimal(value, locale=LOCALE)


def percent(value: str | None) -> str:
    """A ratio as a percentage with one decimal."""
    return NONE if value is None else format_percent(Decimal(value), "#,##0.0%", locale=LOCALE)


def day(value: str) -> str:
    """An ISO date as it is spoken."""
    return format_date(date.fromisoformat(value), "d MMM y", locale=LOCALE)


def bucket(start: str, grain: str) -> str:
    """The name of a bucket that begins on this ISO date."""
    first = date.fromisoformat(start)
    match grain:
        case "year":
            return str(first.year)
        case "quarter":
            return f"{first.year} Q{(first.month + 2) // 3}"
        case "month":
            return format_date(first, "MMM y", locale=LOCALE)
        case "week":
            return f"{first:%G} W{first:%V}"
        case _:
            return day(start)


@dataclass(frozen=True)
class Change:
    """How a figure differs from the one it is compared with; ``sign`` is -1, 0 or 1."""

    text: str
    sign: int


def change(comparison: Mapping[str, Any] | None, measure: str) -> Change | None:
    """The change of a measure in percent; None without a comparison, or where there was nothing before."""
    found = (comparison or {}).get(measure)
    if not found or found["ratio"] is None:
        return None
    ratio = Decimal(found["ratio"]) - 1
    sign = (ratio > 0) - (ratio < 0)
    mark = {1: "▲ +", 0: "= ", -1: "▼ −"}[sign]
    return Change(mark + format_percent(abs(ratio), "#,##0.0%", locale=LOCALE), sign)


def height(value: str | int | None) -> float | None:
    """A figure as the height of a line or the length of a bar: geometry, not arithmetic."""
    return None if value is None else round(float(value), 2)
