"""Errors of the supervisor."""

from pipeline.errors import TillhouseError


class SupervisorError(TillhouseError):
    """The services cannot be started or stopped; the message says why and what to do."""
