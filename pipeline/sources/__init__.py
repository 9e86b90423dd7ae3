"""Sources: how the files of each shop or till are written, as ``sources.toml`` says."""

from pipeline.sources.config import of_feed, read_sources, source_settings
from pipeline.sources.errors import SourcesError
from pipeline.sources.feeds import FeedColumns, FeedName
from pipeline.sources.models import (
    COLUMNS,
    FEEDS,
    ONLY_WHEN_MAPPED,
    ORDER_LINES,
    REQUIRED_COLUMNS,
    SourceSettings,
)

__all__ = [
    "COLUMNS",
    "FEEDS",
    "ONLY_WHEN_MAPPED",
    "ORDER_LINES",
    "REQUIRED_COLUMNS",
    "FeedColumns",
    "FeedName",
    "SourceSettings",
    "SourcesError",
    "of_feed",
    "read_sources",
    "source_settings",
]
