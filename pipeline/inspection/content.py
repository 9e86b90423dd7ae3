"""What the values below a header say when its name says nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from pipeline.inspection.models import HeaderReading
from pipeline.inspection.tables import Sample
from pipeline.landing.dates import look_like_dates
from pipeline.sources import FEEDS

_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def with_content(readings: Sequence[HeaderReading], sample: Sample, feed: str) -> list[HeaderReading]:
    """The readings, with columns that only their values tell: the only dates, the only e-mail addresses."""
    found = list(readings)
    if sample.columns.headers != tuple(reading.header for reading in readings):
        return found
    for column, what, is_such in _kinds(feed):
        if any(reading.column == column for reading in found):
            continue
        places = [
            at
            for at, reading in enumerate(found)
            if reading.column is None and reading.header.strip() and is_such(sample.values(at))
        ]
        if len(places) == 1:
            at = places[0]
            remark = f"the only column that holds {what}"
            found[at] = replace(found[at], column=column, found_by="content", remark=remark)
        else:
            for at in places:
                found[at] = replace(found[at], remark=f"holds {what}: could be {column}")
    return found


def _are_emails(values: pl.Series) -> bool:
    return values.len() > 0 and bool(values.str.contains(_EMAIL).all())


def _kinds(feed: str) -> Iterator[tuple[str, str, Callable[[pl.Series], bool]]]:
    """Columns that their values tell, where the feed has them."""
    known = FEEDS[feed]
    if known.date is not None:
        yield known.date, "dates", look_like_dates
    for column in ("customer_email", "email"):
        if column in known.columns:
            yield column, "e-mail addresses", _are_emails
