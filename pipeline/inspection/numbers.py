"""How a file writes its numbers, as far as its first rows tell."""

from dataclasses import dataclass

import polars as pl

from pipeline.inspection.models import Doubt
from pipeline.inspection.tables import Sample
from pipeline.landing.numerals import plain_numbers
from pipeline.sources import FEEDS, SourceSettings

# (decimal mark, thousands mark), the plainest first.
_MARKS = ((".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_ZERO = r"^0*[.,]?0*$"
_INTEGER = r"^[+-]?[0-9]+(?:\.0*)?$"


@dataclass(frozen=True)
class _Reading:
    """The sample's numbers under one pair of marks; ``fitting`` is how many of them are numbers then."""

    settings: SourceSettings
    values: pl.DataFrame
    fitting: int


def with_marks(sample: Sample, settings: SourceSettings) -> tuple[SourceSettings, list[Doubt]]:
    """The settings with the marks that fit the most numbers; left as they are where they say them.

    When numbers can be read in two ways, both are shown and neither is taken.
    """
    if settings.model_fields_set & {"decimal_mark", "thousands_mark"}:
        return settings, []
    texts = _texts(sample, settings)
    if not texts.width:
        return settings, []
    readings = [_read(texts, _marked(settings, *marks)) for marks in _MARKS if _is_possible(texts, marks[1])]
    most = max(reading.fitting for reading in readings)
    best, *others = [reading for reading in readings if reading.fitting == most]
    different = [other for other in others if not other.values.equals(best.values)]
    if different:
        return settings, [_doubt(texts, [best, *different])]
    return best.settings, []


def with_discount(sample: Sample, settings: SourceSettings) -> tuple[SourceSettings, list[Doubt]]:
    """The settings with percent when every discount has its sign; a doubt when some have, or are above 1."""
    if "discount" in settings.model_fields_set:
        return settings, []
    texts = sample.of_column("discount")
    if not texts.len():
        return settings, []
    has_sign = texts.str.ends_with("%")
    if has_sign.any() and (has_sign | texts.str.contains(_ZERO)).all():
        return settings.model_copy(update={"discount": "percent"}), []
    values = _read(_texts(sample, settings), settings).values["discount"].head(texts.len())
    is_above = (values.cast(pl.Decimal(38, 6), strict=False) > 1).fill_null(value=False)
    odd = texts.filter(has_sign | is_above)
    if not odd.len():
        return settings, []
    shown = odd[0]
    choice = ('discount = "percent"', f"{shown!r} is {shown.removesuffix('%').rstrip()} % of the line")
    text = f"discounts such as {shown!r} are no fractions; they may be percentages or amounts"
    return settings, [Doubt("discount", text, (choice,))]


def _texts(sample: Sample, settings: SourceSettings) -> pl.DataFrame:
    """Each column of numbers, blanks left out, so that columns differ in length: the rest is null."""
    numbers = FEEDS[settings.feed].numbers
    columns = [sample.of_column(name).str.replace(r"\s*%$", "") for name in numbers]
    longest = max((column.len() for column in columns), default=0)
    return pl.DataFrame(
        {
            name: column.extend_constant(None, longest - column.len())
            for name, column in zip(numbers, columns, strict=True)
        }
    )


def _marked(settings: SourceSettings, decimal: str, thousands: str | None) -> SourceSettings:
    return settings.model_copy(update={"decimal_mark": decimal, "thousands_mark": thousands})


def _is_possible(texts: pl.DataFrame, thousands: str | None) -> bool:
    """No group of thousands begins with a zero: 0,125 is an eighth."""
    if thousands is None:
        return True
    begins = rf"^[+-]?0\x{ord(thousands):02x}"
    return not texts.select(pl.any_horizontal(pl.all().str.contains(begins).any())).item()


def _read(texts: pl.DataFrame, settings: SourceSettings) -> _Reading:
    plain = plain_numbers(settings.model_copy(update={"discount": "fraction"}))
    # What is no number in this reading is null.
    values = texts.with_columns(plain).with_columns(
        pl.when(pl.col(name).str.contains(_INTEGER if name == "quantity" else _NUMBER)).then(pl.col(name))
        for name in texts.columns
    )
    fitting = sum(column.count() for column in values.iter_columns())
    return _Reading(settings, values, fitting)


def _doubt(texts: pl.DataFrame, readings: list[_Reading]) -> Doubt:
    choices = []
    for reading in readings:
        text, value = _example(texts, readings[0], readings[1], reading)
        choices.append((_toml(reading.settings), f"{text!r} is {value}"))
    shown, _ = _example(texts, readings[0], readings[1], readings[0])
    return Doubt("decimal_mark", f"numbers such as {shown!r} can be read in several ways", tuple(choices))


def _example(texts: pl.DataFrame, one: _Reading, other: _Reading, shown: _Reading) -> tuple[str, str]:
    """The first number that two readings differ in, and what it is in the shown one."""
    for name in texts.columns:
        differing = one.values[name].ne_missing(other.values[name]).arg_true()
        if differing.len():
            at = differing[0]
            return texts[name][at], shown.values[name][at] or "no number"
    raise AssertionError("the readings are equal")


def _toml(settings: SourceSettings) -> str:
    marks = [f'decimal_mark = "{settings.decimal_mark}"']
    if settings.thousands_mark is not None:
        marks.append(f'thousands_mark = "{settings.thousands_mark}"')
    return "\n".join(marks)
