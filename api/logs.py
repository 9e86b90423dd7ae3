"""The service's log: one line an event, as key=value text or as JSON."""

import contextlib
import json
import logging
import logging.config
import sys
from datetime import UTC, datetime
from queue import Empty, Full, Queue
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
# When so many lines wait to be written, threads wait, too.
_WAITING_LINES = 10_000
_CLOSE_SECONDS = 5.0


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
        self._lines: Queue[str] = Queue(_WAITING_LINES)
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
        # No line is empty. Whoever reads the log may have stopped: then the process ends all the same.
        with contextlib.suppress(Full):
            self._lines.put("", timeout=_CLOSE_SECONDS)
        self._thread.join(_CLOSE_SECONDS)
        super().close()

    def _write(self) -> None:
        is_open = True
        while is_open:
            lines = [self._lines.get()]
            with contextlib.suppress(Empty):
                while True:
                    lines.append(self._lines.get_nowait())
            is_open = "" not in lines
            # These lines are lost when the disk is full, as with any handler; the next ones are tried again.
            with contextlib.suppress(OSError, ValueError):
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
            try:
                return msgspec.json.encode(line, enc_hook=repr).decode()
            except UnicodeEncodeError:
                # Halves of characters, which no encoding has: escaped.
                return json.dumps(line, default=repr)
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
