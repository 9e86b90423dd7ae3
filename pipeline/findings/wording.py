"""How figures and dates are written for eyes: rounded half up, thousands apart, in English."""

from calendar import monthrange
from datetime import date
from decimal import Decimal
from fractions import Fraction

from babel.dates import format_date

from pipeline.answers import numbers
from pipeline.answers.dates import DateRange

MINUS = "−"
_LOCALE = "en"

Number = Decimal | Fraction | int | str


def number(value: Number, digits: int = 0) -> str:
    """A number with thousands apart: ``4,712.57``."""
    rounded = f"{Decimal(numbers.half_up(Fraction(value), digits)):,}"
    return rounded.replace("-", MINUS)


def money(value: Number, currency: str) -> str:
    """An amount without its currency."""
    return number(value, numbers.minor_digits(currency))


def amount(value: Number, currency: str) -> str:
    """An amount with its currency: ``4,712.57 USD``."""
    return f"{money(value, currency)} {currency}"


def signed(text: str) -> str:
    """A written number with a plus before it when it is above 0."""
    is_above = not text.startswith(MINUS) and any(digit in text for digit in "123456789")
    return f"+{text}" if is_above else text


def percent(ratio: Number) -> str:
    """A ratio as a percentage: ``65.3 %``."""
    return f"{number(Fraction(ratio) * 100, 1)} %"


def counted(count: int, thing: str) -> str:
    """A number of things: ``1 order``, ``2,000 orders``."""
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"


def day(found: date | str) -> str:
    """A day: ``22 April 2024``."""
    if isinstance(found, str):
        found = date.fromisoformat(found)
    return str(format_date(found, "d MMMM y", locale=_LOCALE))


def named(span: DateRange) -> str:
    """A range of dates: ``2024``, ``April 2024``, ``22 April 2024``, ``1 April 2024 to 5 May 2024``."""
    start, end = span.start, span.end
    if start == end:
        return day(start)
    if (start.day, start.year) == (1, end.year):
        if (start.month, end.month, end.day) == (1, 12, 31):
            return str(start.year)
        if start.month == end.month and end.day == monthrange(end.year, end.month)[1]:
            return str(format_date(start, "MMMM y", locale=_LOCALE))
    return f"{day(start)} to {day(end)}"


def during(span: DateRange) -> str:
    """When something was: ``in April 2024``, ``on 22 April 2024``, ``from 1 April 2024 to 5 May 2024``."""
    name = named(span)
    if span.start == span.end:
        return f"on {name}"
    return f"from {name}" if " to " in name else f"in {name}"


def bucket_name(start: str, grain: str) -> str:
    """A bucket of time by its first day: ``22 April 2024``, ``week of 22 April 2024``, ``April 2024``."""
    first = date.fromisoformat(start)
    if grain == "week":
        return f"week of {day(first)}"
    pattern = {"day": "d MMMM y", "month": "MMMM y", "year": "y"}[grain]
    return str(format_date(first, pattern, locale=_LOCALE))


def bucket_mark(start: str, grain: str) -> str:
    """The same, short enough for an axis: ``22 Apr``, ``Apr 2024``, ``2024``."""
    pattern = {"day": "d MMM", "week": "d MMM", "month": "MMM y", "year": "y"}[grain]
    return str(format_date(date.fromisoformat(start), pattern, locale=_LOCALE))


def segment(name: str) -> str:
    """A segment of customers in words."""
    return name.replace("cant_", "can't ").replace("_", " ").capitalize()
