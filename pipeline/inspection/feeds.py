"""Which feed a file is of, when nobody says it and its column names do."""

from collections.abc import Sequence

from pipeline.inspection.matching import known_columns
from pipeline.landing.columns import our_columns
from pipeline.sources import FEEDS, ORDER_LINES, SourceSettings, of_feed


def by_its_feed(headers: Sequence[str], settings: SourceSettings) -> tuple[SourceSettings, str | None]:
    """The settings for the feed that the headers are clearly of, and what is to be told of that.

    Order lines stay order lines when all their required columns are there, or more of their columns than of
    any other feed. Of another feed, all the required ones must be there by name.
    """
    if "feed" in settings.model_fields_set or _has_required(headers, settings):
        return settings, None
    others = [of_feed(settings, feed) for feed in FEEDS if feed != ORDER_LINES]
    counts = {other.feed: known_columns(headers, other) for other in others if _has_required(headers, other)}
    most = max(counts.values(), default=0)
    if not counts or most < known_columns(headers, settings):
        return settings, None
    first, *more = [feed for feed, count in counts.items() if count == most]
    if more:
        return settings, f"The column names could be those of {' or '.join((first, *more))}: say --feed."
    return of_feed(settings, first), (
        f"The column names are those of {first}, and not of order lines, so it is looked at as {first} "
        "(unless --feed says otherwise)."
    )


def _has_required(headers: Sequence[str], settings: SourceSettings) -> bool:
    there = {*our_columns(headers, settings), *settings.constants}
    return there.issuperset(FEEDS[settings.feed].required)
