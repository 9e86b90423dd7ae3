"""How exact numbers are written: money as exact decimals, ratios with six digits."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from babel.numbers import get_currency_precision

RATIO_DIGITS = 6


@lru_cache(maxsize=32)
def minor_digits(currency: str) -> int:
    """The number of digits of a currency's minor unit: 2 for USD, 0 for JPY."""
    return int(get_currency_precision(currency))


def money(value: Decimal, digits: int) -> str:
    """The exact amount with at least ``digits`` decimals: ``180.00``, ``4712.5675``."""
    whole, _, fraction = format(value if value else Decimal(0), "f").partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def ratio(numerator: Decimal | int, denominator: Decimal | int) -> str | None:
    """The quotient with six decimals, half up (away from zero); None when it is undefined."""
    if not denominator:
        return None
    return half_up(Fraction(numerator) / Fraction(denominator), RATIO_DIGITS)


def half_up(value: Fraction | Decimal, digits: int) -> str:
    """A number rounded half up (away from zero) to ``digits`` decimals, computed exactly."""
    exact = Fraction(value)
    units = int(abs(exact) * 10**digits + Fraction(1, 2))
    sign = "-" if exact < 0 and units else ""
    text = str(units).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)
