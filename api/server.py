"""The web server: bodies are complete before the application sees them, answers leave at the reader's pace.

Waitress takes requests and sends answers in one thread, through memory and then temporary files, so that
slow callers hold none of the threads that answer.
"""

import copy
import json
import signal
from typing import Any

from apiflask import APIFlask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import WSGITask
from waitress.utilities import Error

from api.problems import PROBLEM_TYPES
from api.responses import PROBLEM_JSON
from pipeline.settings import Settings

DEFAULT_PORT = 8000
THREADS = 8
IDLE_SECONDS = 60
# Those who say nothing must not keep the others out.
MOST_CONNECTIONS = 500
MAX_BODY_BYTES = 64 * 1024
UPLOADS = ("/api/v1/imports", "/upload")
# What a form adds around its files.
_AROUND_FILES = 64 * 1024


class _Refused(Error):
    """A request that never reaches the application, as the problem that it would answer with."""

    code, reason = 400, "Bad Request"

    def to_response(  # type: ignore[override]
        self, ident: str | None = None
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        name = "body_too_large" if self.code == 413 else "bad_request"
        problem = PROBLEM_TYPES[name]
        body: dict[str, object] = {"type": problem.uri, "title": problem.title, "status": self.code}
        body |= {"detail": self.body, "code": name}
        return f"{self.code} {self.reason}", [("Content-Type", PROBLEM_JSON)], json.dumps(body).encode()


class _Parser(HTTPRequestParser):
    """Reads a request; only uploads may have large bodies."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; what it says decides how much body may follow."""
        super().parse_header(header_plus)
        if self.path not in UPLOADS:  # type: ignore[attr-defined]
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = MAX_BODY_BYTES + 1

    def received(self, data: bytes) -> int:
        """Take in a piece of the request."""
        consumed: int = super().received(data)
        if self.error is not None and not isinstance(self.error, _Refused):
            refused = _Refused(f"{self.error.reason}: {self.error.body}.")
            refused.code, refused.reason = self.error.code, self.error.reason
            self.error = refused
        return consumed


class _Task(WSGITask):
    """Answers a request."""

    def set_close_on_finish(self) -> None:
        """Close the connection after this answer; not because it has no body, as 304 and 204 have none."""
        headers: dict[str, str] = getattr(self.request, "headers", {})
        asked = headers.get("CONNECTION", "").lower()
        if self.has_body or self.version != "1.1" or asked == "close":
            super().set_close_on_finish()


class _Channel(HTTPChannel):
    """One connection."""

    parser_class = _Parser
    task_class = _Task


def serve(app: APIFlask, settings: Settings) -> None:
    """Serve until a signal comes; requests under way may take a few seconds more.

    Raises:
        OSError: the port is taken.
    """
    server: Any = create_server(
        app,
        host=settings.api_host,
        port=settings.api_port or DEFAULT_PORT,
        threads=THREADS,
        channel_timeout=IDLE_SECONDS,
        connection_limit=MOST_CONNECTIONS,
        asyncore_use_poll=True,
        max_request_body_size=settings.upload_limit_mb * 1024 * 1024 + _AROUND_FILES,
        # An answer is written as fast as it is made, and kept in a file until the reader has it.
        outbuf_high_watermark=2**62,
        ident=None,
        # The application itself knows which proxies to believe.
        clear_untrusted_proxy_headers=False,
    )
    server.channel_class = _Channel
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    server.run()


def _stop(*_: object) -> None:
    raise SystemExit(0)
