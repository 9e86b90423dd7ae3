"""Fetching: the files that paths, patterns and addresses name, as files on this machine."""

from pipeline.fetching.errors import FetchError
from pipeline.fetching.fetching import NamedFile, fetched

__all__ = ["FetchError", "NamedFile", "fetched"]
