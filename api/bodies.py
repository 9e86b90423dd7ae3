"""Bodies that do not come: callers that send slowly must not hold up those that ask.

The server gives a thread to each request, and a read of a body cannot be broken off. So at most half
of the threads may wait for bodies at a time.
"""

from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any

from flask import Flask

from api.problems import Problem

READERS = 2
# A body that is there is read in no time.
WAIT_SECONDS = 1.0


class BoundedStream:
    """A request's body, read by not too many at once."""

    def __init__(self, stream: Any, readers: BoundedSemaphore) -> None:
        self._stream = stream
        self._readers = readers

    def read(self, size: int = -1) -> bytes:
        """The next bytes; none at the end.

        Raises:
            Problem: too many others wait for theirs.
        """
        if not self._readers.acquire(timeout=WAIT_SECONDS):
            raise Problem("busy", "Too many bodies are being received; send it again in a few seconds.")
        try:
            data: bytes = self._stream.read(size)
        finally:
            self._readers.release()
        return data


class BoundedBodies:
    """WSGI middleware that makes every body a bounded stream."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._readers = BoundedSemaphore(READERS)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        environ["wsgi.input"] = BoundedStream(environ["wsgi.input"], self._readers)
        return self._app(environ, start_response)


def register(app: Flask) -> None:
    """Let not too many requests wait for their bodies at once."""
    app.wsgi_app = BoundedBodies(app.wsgi_app)  # type: ignore[method-assign]
