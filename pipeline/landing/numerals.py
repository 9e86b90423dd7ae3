"""Numbers as a source writes them, as plain text: digits, a point, a sign.

Nothing is computed on binary numbers, and what does not read as the source says it should is left so
that the contract refuses it.
"""

import polars as pl

from pipeline.sources import FEEDS, SourceSettings

_PERCENT = r"^([+-]?)([0-9]*)\.?([0-9]*)$"
# Stands before a number whose marks are not those of the source.
_ODD = "?"


def plain_numbers(settings: SourceSettings) -> list[pl.Expr]:
    """The columns of its feed that have to be written anew; none for a source that writes as we do."""
    found = []
    for name in FEEDS[settings.feed].numbers:
        number = pl.col(name)
        written = number if settings.thousands_mark is None else _without_thousands(number, settings)
        if settings.decimal_mark == ",":
            written = _with_point(written)
        if name == "discount" and settings.discount == "percent":
            written = _hundredth(written)
        if name == "tax_rate":
            written = pl.when(written.str.ends_with("%")).then(_hundredth(written)).otherwise(written)
        if written is not number:
            found.append(written.alias(name))
    return found


def _without_thousands(number: pl.Expr, settings: SourceSettings) -> pl.Expr:
    """Groups of three digits lose their mark; other places of it are odd."""
    mark = settings.thousands_mark or ""
    text = number
    if mark == " ":
        # Also the blanks that typesetters use: no-break and narrow no-break.
        text = text.str.replace_all("[\u00a0\u202f]", " ")
    if mark == "'":
        # Also the typographic apostrophe, which Excel writes in Switzerland.
        text = text.str.replace_all("\u2019", "'", literal=True)
    quoted = rf"\x{ord(mark):02x}"
    decimal = rf"\x{ord(settings.decimal_mark):02x}"
    is_grouped = text.str.contains(rf"^[+-]?[0-9]{{1,3}}(?:{quoted}[0-9]{{3}})+(?:{decimal}[0-9]*)?$")
    return (
        pl.when(is_grouped)
        .then(text.str.replace_all(mark, "", literal=True))
        .when(text.str.contains(mark, literal=True))
        .then(pl.lit(_ODD) + text)
        .otherwise(text)
    )


def _with_point(number: pl.Expr) -> pl.Expr:
    return (
        pl.when(number.str.contains(".", literal=True))
        .then(pl.lit(_ODD) + number)
        .otherwise(number.str.replace(",", ".", literal=True))
    )


def _hundredth(number: pl.Expr) -> pl.Expr:
    """A percentage as a fraction: its point two places to the left."""
    text = number.str.strip_suffix("%").str.strip_chars_end()
    whole = text.str.replace(_PERCENT, "$2").str.zfill(3)
    moved = (
        text.str.replace(_PERCENT, "$1")
        + whole.str.head(-2)
        + pl.lit(".")
        + whole.str.tail(2)
        + text.str.replace(_PERCENT, "$3")
    )
    is_number = text.str.contains(r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$")
    return pl.when(is_number).then(moved).otherwise(number)
