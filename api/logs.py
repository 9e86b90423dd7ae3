"""The service's log: one line an event, as key=value text or as JSON."""

import logging
import logging.config
from typing import Any

import structlog
from flask import g, has_request_context, request
from structlog.types import EventDict, Processor, WrappedLogger

from pipeline.settings import Settings

# A method of a caller's own invention would be a label, and a line, of its own.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNMATCHED = "(unmatched)"
# They log every request that they make or refuse; the access line says as much.
_QUIET = ("httpx", "waitress", "psycopg.pool")


def configure_logging(settings: Settings) -> None:
    """Let every logger of this process write through one handler, to stderr."""
    logging.config.dictConfig(logging_config(settings))


def logging_config(settings: Settings) -> dict[str, Any]:
    """The same as a configuration for ``logging``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "api.logs.formatter", "log_format": settings.log_format}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": "WARNING"} for name in _QUIET},
        },
    }


def formatter(log_format: str) -> structlog.stdlib.ProcessorFormatter:
    """A formatter of log records; ``log_format`` is ``text`` or ``json``."""
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"])
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(),
            _add_request,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # Plain tracebacks: those with the frames' variables would show values and secrets.
            structlog.processors.format_exc_info,
            renderer,
        ],
    )


def about_request() -> dict[str, Any]:
    """What tells the current request from others; its route as a pattern, and no value that it carries."""
    caller = getattr(g.get("principal"), "name", None)
    return {
        "request_id": g.get("request_id"),
        "principal": caller,
        "method": request.method if request.method in _METHODS else "other",
        "route": request.url_rule.rule if request.url_rule else UNMATCHED,
    }


def _add_request(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {**about_request(), **line} if has_request_context() else line
