"""What the rules of all contracts are made of. Numbers are judged on their text: nothing is rounded."""

from typing import Any

import dataframely as dy
import polars as pl

from pipeline.landing.chunks import Damage

ID_CHARACTERS = 200
LABEL_CHARACTERS = 200
MAX_QUANTITY = 2_147_483_647
DUPLICATE = "duplicate_row"

NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
INTEGER = r"^[+-]?[0-9]+(?:\.0*)?$"
# numeric(18, 6) holds twelve digits before the point.
TOO_BIG = r"^[+-]?0*[1-9][0-9]{12,}(?:\.[0-9]*)?$"
TOO_PRECISE = r"^[+-]?[0-9]*\.[0-9]{6}[0-9]*[1-9]0*$"
BELOW_ZERO = r"^-(?:[0-9]*[1-9][0-9]*\.?[0-9]*|[0-9]*\.[0-9]*[1-9][0-9]*)$"
UP_TO_ONE = r"^(?:\+?0*1(?:\.0*)?|\+?0*\.[0-9]+|\+?0+\.?|-0*\.?0*)$"
# A date, perhaps with a time of day, perhaps with its offset.
DATE = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
    r"(?: ?(?:Z|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?))?)?$"
)


def undamaged(damage: Damage) -> pl.Expr:
    """The row has no damage of this kind."""
    return pl.col("damage") & int(damage) == 0


def given(name: str) -> pl.Expr:
    """The column is not blank."""
    return pl.col(name) != ""


def number(name: str) -> pl.Expr:
    """The column is blank or a plain decimal number."""
    return ~given(name) | pl.col(name).str.contains(NUMBER)


def without(name: str, pattern: str) -> pl.Expr:
    """The column does not look like this."""
    return ~pl.col(name).str.contains(pattern)


def short(name: str, characters: int) -> pl.Expr:
    """The column has at most so many characters."""
    return pl.col(name).str.len_chars() <= characters


def between_years(day: pl.Expr) -> pl.Expr:
    """The day is in a year that sales can be of."""
    return day.is_between(pl.date(1900, 1, 1), pl.date(2199, 12, 31))


def rule(is_kept: pl.Expr) -> Any:
    """A rule of a contract that is this expression."""
    return dy.rule()(lambda _: is_kept)
