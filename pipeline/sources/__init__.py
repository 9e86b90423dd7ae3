"""Sources: how the files of each shop or till are written, as ``sources.toml`` says."""

from pipeline.sources.config import read_sources, source_settings
from pipeline.sources.errors import SourcesError
from pipeline.sources.models import COLUMNS, ONLY_WHEN_MAPPED, REQUIRED_COLUMNS, SourceSettings

__all__ = [
    "COLUMNS",
    "ONLY_WHEN_MAPPED",
    "REQUIRED_COLUMNS",
    "SourceSettings",
    "SourcesError",
    "read_sources",
    "source_settings",
]
