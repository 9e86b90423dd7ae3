"""What can be wrong with ``sources.toml``."""

from pipeline.errors import TillhouseError


class SourcesError(TillhouseError):
    """The file cannot be read or used; the message says where and why."""
