"""What can go wrong while files are fetched."""

from pipeline.errors import TillhouseError


class FetchError(TillhouseError):
    """A file could not be had; the message says which and why, and shows no credentials."""
