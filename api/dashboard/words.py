"""Figures as people read them. The exact ones are in the API's answers, and in the files of each chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from pipeline.answers import numbers

LOCALE = "en_US"
NONE = "–"
_BETTER_WITH_LESS = ("returns", "discounts", "cost")


def money(value: str | None, currency: str) -> str:
    """An amount in its currency, rounded half up to the currency's own digits."""
    if value is None:
        return NONE
    rounded = Decimal(numbers.half_up(Decimal(value), numbers.minor_digits(currency)))
    return format_currency(rounded, currency, locale=LOCALE)


def count(value: int | None) -> str:
    """A whole number."""
    return NONE if value is None else format_decimal(value, locale=LOCALE)


def percent(value: str | None) -> str:
    """A ratio as a percentage with one decimal, rounded half up."""
    if value is None:
        return NONE
    return format_percent(Decimal(numbers.half_up(Decimal(value), 3)), "#,##0.0%", locale=LOCALE)


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
    """How a figure differs from the one it is compared with; ``mood`` is 1 for better, -1 for worse, or 0."""

    text: str
    mood: int


def change(comparison: Mapping[str, Any] | None, measure: str) -> Change | None:
    """The change of a measure; in percent where there was more than nothing before.

    None without a comparison, or where one of both figures is undefined.
    """
    found = (comparison or {}).get(measure)
    if not found or found["difference"] is None:
        return None
    difference = Decimal(found["difference"])
    sign = (difference > 0) - (difference < 0)
    mood = -sign if measure in _BETTER_WITH_LESS else sign
    if Decimal(found["previous"]) > 0 and found["ratio"] is not None:
        mark = {1: "▲ +", 0: "= ", -1: "▼ −"}[sign]
        return Change(mark + percent(str(abs(Decimal(found["ratio"]) - 1))), mood)
    return Change({1: "▲ more", 0: "= same", -1: "▼ less"}[sign], mood)


def height(value: str | int | None) -> float | None:
    """A figure as the height of a line or the length of a bar: geometry, not arithmetic."""
    return None if value is None else round(float(value), 2)
