"""Errors of the warehouse package."""

from pipeline.errors import TillhouseError


class WarehouseError(TillhouseError):
    """Postgres cannot be used as it is; the message says why and what to do."""
