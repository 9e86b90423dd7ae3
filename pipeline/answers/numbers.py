"""How exact numbers are written: money as exact decimals, ratios with six digits."""

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from babel.numbers import get_currency_precision

RATIO_DIGITS = 6
# What Postgres keeps of an amount, twice.
MOST_DIGITS = 80


@lru_cache(maxsize=32)
def minor_digits(currency: str) -> int:
    """The number of digits of a currency's minor unit: 2 for USD, 0 for JPY."""
    return int(get_currency_precision(currency))


def money(value: Decimal, digits: int) -> str:
    """The exact amount with at least ``digits`` decimals: ``180.00``, ``4712.5675``."""
    whole, _, fraction = format(value if value else Decimal(0), "f").partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def ratio(numerator: Decimal | int | Fraction, denominator: Decimal | int | Fraction) -> str | None:
    """The quotient with six decimals, half up (away from zero); None when it is undefined."""
    return six_digits(quotient(numerator, denominator))


def decimal(value: Fraction) -> Decimal:
    """A fraction that has an end as a decimal, exactly."""
    with localcontext(prec=MOST_DIGITS):
        return Decimal(value.numerator) / value.denominator


def quotient(numerator: Decimal | int | Fraction, denominator: Decimal | int | Fraction) -> Fraction | None:
    """The exact quotient; None when it is undefined."""
    return Fraction(numerator) / Fraction(denominator) if denominator else None


def six_digits(value: Fraction | Decimal | None) -> str | None:
    """A number with six decimals, half up (away from zero)."""
    return None if value is None else half_up(value, RATIO_DIGITS)


def margin_rate(margin: str | None, cost: str | None) -> str | None:
    """margin ÷ (margin + cost), the margin's share of the revenue that it was made on."""
    if margin is None or cost is None:
        return None
    return ratio(Decimal(margin), Decimal(margin) + Decimal(cost))


def half_up(value: Fraction | Decimal, digits: int) -> str:
    """A number rounded half up (away from zero) to ``digits`` decimals, computed exactly."""
    exact = Fraction(value)
    units = int(abs(exact) * 10**digits + Fraction(1, 2))
    sign = "-" if exact < 0 and units else ""
    text = str(units).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)
