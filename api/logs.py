"""The service's log: one line an event, as key=value text or as JSON."""

import logging
import logging.config
import sys
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread
from typing import Any, Literal

import msgspec
from flask import g, has_request_context, request

from pipeline.settings import Settings

# A method of a caller's own invention would be a label, and a line, of its own.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNMATCHED = "(unmatched)"
# What every record has; the rest was given with it.
_OF_RECORDS = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
# They log every request that they make, and every connection that they hand out; the access line says
# as much.
_QUIET = ("httpx", "waitress", "psycopg.pool")


def configure_logging(settings: Settings) -> None:
    """Let every logger of this process write through one handler, to stderr."""
    logging.config.dictConfig(logging_config(settings))


def logging_config(settings: Settings) -> dict[str, Any]:
    """The same as a configuration for ``logging``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "api.logs.LineFormatter", "log_format": settings.log_format}},
        "handlers": {"stderr": {"class": "api.logs.LineHandler", "formatter": "line"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": "WARNING"} for name in _QUIET},
        },
    }


class LineHandler(logging.Handler):
    """Writes lines to stderr from a thread of its own: threads that answer do not wait for each other's."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._thread = Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record's line on."""
        try:
            self._lines.put(self.format(record) + "\n")
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Write what is left; called when the process ends."""
        # No line is empty.
        self._lines.put("")
        self._thread.join()
        super().close()

    def _write(self) -> None:
        is_open = True
        while is_open:
            lines = [self._lines.get()]
            while not self._lines.empty():
                lines.append(self._lines.get())
            is_open = "" not in lines
            sys.stderr.write("".join(lines))
            sys.stderr.flush()


class LineFormatter(logging.Formatter):
    """Writes a record as one line: what it says, what was given with it, and which request it is about."""

    def __init__(self, log_format: Literal["text", "json"]) -> None:
        super().__init__()
        self._is_json = log_format == "json"

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if has_request_context():
            line |= about_request()
        line |= {name: value for name, value in vars(record).items() if name not in _OF_RECORDS}
        if record.exc_info:
            # A plain traceback: one with the frames' variables would show values and secrets.
            line["exception"] = self.formatException(record.exc_info)
        if self._is_json:
            return msgspec.json.encode(line, enc_hook=repr).decode()
        return " ".join(f"{name}={value!r}" for name, value in line.items())


def about_request() -> dict[str, Any]:
    """What tells the current request from others; its route as a pattern, and no value that it carries."""
    caller = getattr(g.get("principal"), "name", None)
    return {
        "request_id": g.get("request_id"),
        "principal": caller,
        "method": request.method if request.method in _METHODS else "other",
        "route": request.url_rule.rule if request.url_rule else UNMATCHED,
    }
