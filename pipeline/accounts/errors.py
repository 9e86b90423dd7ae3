"""Errors of the accounts package."""

from pipeline.errors import TillhouseError


class AccountError(TillhouseError):
    """An account cannot be as it was asked for; the message says why and what to do."""
