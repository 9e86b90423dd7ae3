"""Exact values, and how each format writes them."""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

Row = dict[str, Any]


class Ratio(Decimal):
    """A number of six digits; every other decimal is money."""


class Whole(Decimal):
    """A count among amounts, written without digits after the point."""


def ratio(value: Fraction | None) -> Ratio | None:
    """Six digits, half up, away from zero."""
    if value is None:
        return None
    with localcontext(prec=120):
        # 100 digits tell every fraction of ours from a half at the sixth one.
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return Ratio(exact.quantize(Decimal("0.000001"), ROUND_HALF_UP))


def flat(row: Row, above: str = "") -> Row:
    """A row as tables have it: ``product.id`` is ``product_id``."""
    made: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            made |= flat(value, f"{above}{name}_")
        else:
            made[above + name] = value
    return made


def as_json(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, dict):
        return {name: as_json(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    if isinstance(value, Ratio):
        return "0.000000" if value == 0 else format(value, "f")
    if isinstance(value, Whole):
        return str(int(value))
    if isinstance(value, Decimal):
        return money(value)
    return value.isoformat() if isinstance(value, date) else value


def as_csv(rows: Iterable[Row]) -> list[Row]:
    """Rows as a reader of CSV sees them; text that begins like a formula has an apostrophe before it."""
    return [{name: _cell(value) for name, value in flat(row).items()} for row in rows]


def as_arrow(rows: Iterable[Row]) -> list[Row]:
    """Rows as Arrow and Parquet give them back."""
    return [flat(row) for row in rows]


def money(value: Decimal) -> str:
    """The exact decimal with at least two digits after the point."""
    whole, _, rest = format(value if value else Decimal(0), "f").partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return " ".join(map(_cell, value)) if isinstance(value, list) else str(as_json(value))
