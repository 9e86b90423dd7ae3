"""What can be wrong with the data of a lifetime value model."""

from pipeline.errors import TillhouseError


class LifetimeError(TillhouseError):
    """The model cannot be fitted; the message says what is missing."""
