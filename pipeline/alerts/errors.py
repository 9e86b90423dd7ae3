"""Errors of the alerts package."""

from pipeline.errors import TillhouseError


class AlertsError(TillhouseError):
    """The file of receivers cannot be used; the message says where and why, and shows no value of it."""


class DeliveryError(TillhouseError):
    """A receiver did not take an alert; the message has nothing secret.

    ``is_passing``: the same may well succeed in a moment.
    """

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing
