"""How a source writes dates: as it says, in ISO, or in the only way that fits every row.

A file whose dates can be read in two ways is never guessed at: 03/04/2024 is in March or in April.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from pipeline.landing.errors import FileRefused

# An optional time of day, perhaps with its offset from UTC: groups of hour, minute, second and offset.
TIME = (
    r"(?:[ T]([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]+)?)?"
    r"(?: ?(Z|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?))?)?"
)
ISO = "%Y-%m-%d"
# Formats, and what their dates look like. Those with equal looks can be mistaken for each other.
_LOOKS: Mapping[str, str] = MappingProxyType(
    {
        ISO: r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "%Y/%m/%d": r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}",
        "%Y.%m.%d": r"[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}",
        "%Y%m%d": r"[0-9]{8}",
        "%d.%m.%Y": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}",
        "%m.%d.%Y": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}",
        "%d/%m/%Y": r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
        "%m/%d/%Y": r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
        "%d-%m-%Y": r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}",
        "%m-%d-%Y": r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}",
        "%d.%m.%y": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}",
        "%m.%d.%y": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}",
        "%d/%m/%y": r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}",
        "%m/%d/%y": r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}",
        "%d %b %Y": r"[0-9]{1,2} [A-Za-z]{3} [0-9]{4}",
        "%b %d, %Y": r"[A-Za-z]{3} [0-9]{1,2}, [0-9]{4}",
    }
)
_EXAMPLES = 3


@dataclass(frozen=True)
class DateFit:
    """A format that fits every row so far, and some of its readings that another format may not share."""

    format: str
    readings: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """For example: %d/%m/%Y reads '03/04/2024' as 2024-04-03."""
        return f"{self.format} reads {', '.join(self.readings)}"


@dataclass(frozen=True)
class FoundFormat:
    """How a file's dates are written; ``alike`` are the formats that read every one of them the same."""

    format: str
    alike: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is to be told of a format that nobody named."""
        if not self.alike:
            return f"dates read as {self.format}, the only format that fits every row"
        return f"dates read as {self.format}; {', '.join(self.alike)} would read every row the same"


class AmbiguousDates(FileRefused):
    """Several formats fit every row, and read some of them as different days."""

    def __init__(self, fits: tuple[DateFit, ...]) -> None:
        told = "; ".join(fit.told for fit in fits)
        super().__init__(
            f"the dates can be read in several ways: {told}; say which in sources.toml, as in "
            f'date_format = "{fits[0].format}"'
        )
        self.fits = fits


def look_of(format: str) -> str | None:
    """What a date in this format looks like, when it is one that can be found out."""
    return _LOOKS.get(format)


def has_time(format: str) -> bool:
    """Whether texts in this format have a time of day."""
    return any(f"%{directive}" in format for directive in "HIMSfp")


def parsed(column: str, format: str) -> pl.Expr:
    """The days of a text column; null where a text is no such date."""
    text = pl.col(column)
    if format == ISO:
        return text.str.head(10).str.to_date(ISO, strict=False)
    if format in _LOOKS:
        date = text.str.extract(f"^({_LOOKS[format]}){TIME}$")
        return date.str.to_date(format, strict=False)
    # One that was declared may have a time of day.
    return (
        text.str.to_datetime(format, strict=False).dt.date()
        if has_time(format)
        else text.str.to_date(format, strict=False)
    )


def typed_format(format: str | None) -> str | None:
    """How dates are shown that are dates in the file, with their time of day; none for ISO.

    They are read by the source's one format, so they are shown in it.
    """
    if format is None or format == ISO:
        return None
    return f"{format} %H:%M:%S" if format in _LOOKS else format


def look_like_dates(texts: pl.Series) -> bool:
    """Whether most of these texts are dates in one format or another."""
    dates = texts.alias("text").to_frame()
    return any(2 * _fitting(format, dates) > dates.height for format in _LOOKS)


def find_format(texts: Iterable[pl.Series]) -> FoundFormat:
    """The only format that fits every date of a file; ISO when most of the first dates are in it, or in none.

    Args:
        texts: the dates of each chunk of rows, trimmed; blank and unreadable ones do not count.

    Raises:
        AmbiguousDates: several formats fit, and read some dates differently.
        FileRefused: no format fits.
    """
    fits: list[DateFit] | None = None
    for chunk in texts:
        dates = chunk.filter(chunk.is_not_null() & (chunk != "")).alias("text").to_frame()
        if not dates.height:
            continue
        if fits is None:
            fits = [DateFit(format) for format in _LOOKS if 2 * _fitting(format, dates) > dates.height]
            if not fits or fits[0].format == ISO:
                return FoundFormat(ISO)
        left = [fit for fit in (_fitted(fit, dates) for fit in fits) if fit is not None]
        if not left:
            raise FileRefused(
                f"no date format fits every row: {_unfit(fits, dates)!r} is not written as the dates before "
                "it; say in sources.toml how they are, as in "
                f'date_format = "{fits[0].format}", and rows with other dates are put aside'
            )
        fits = left
    if not fits:
        return FoundFormat(ISO)
    # Where day and month are always the same number, it does not matter which comes first.
    if len(fits) > 1 and any(fit.readings for fit in fits):
        raise AmbiguousDates(tuple(fits))
    return FoundFormat(fits[0].format, tuple(fit.format for fit in fits[1:]))


def _fitting(format: str, dates: pl.DataFrame) -> int:
    return int(dates.select(parsed("text", format).count()).item())


def _fitted(fit: DateFit, dates: pl.DataFrame) -> DateFit | None:
    """The format with more of its readings, as long as it fits; only those that another one may differ in."""
    days = dates.with_columns(parsed("text", fit.format).alias("day"))
    if days["day"].null_count():
        return None
    if len(fit.readings) < _EXAMPLES:
        telling = days.filter(pl.col("day").dt.day() != pl.col("day").dt.month()).head(_EXAMPLES)
        shown = tuple(f"{text!r} as {day}" for text, day in telling.iter_rows())
        return DateFit(fit.format, (*fit.readings, *shown)[:_EXAMPLES])
    return fit


def _unfit(fits: Iterable[DateFit], dates: pl.DataFrame) -> str:
    """The first date that the last of the formats could not read."""
    first = 0
    for fit in fits:
        days = dates.select(parsed("text", fit.format).alias("day")).to_series()
        first = max(first, int(days.is_null().arg_true()[0]))
    return str(dates["text"][first])
