"""What each request leaves behind: a line in the log, and figures for Prometheus."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Literal

from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from api.logs import about_request

log = logging.getLogger("api.access")

# When each series began: twice the lines, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

_KEY = "tillhouse_metrics"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)
# What is not written like a parameter could be a value that was typed in its place.
_PARAMETER = re.compile(r"[a-z_]{1,40}")


class Metrics:
    """The figures of one app. Labels have few values: routes are patterns, and unknown ones are one."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tillhouse_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tillhouse_http_request_seconds",
            "Time until the last byte of an answer was handed on.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.cache = Counter(
            "tillhouse_cache",
            "Answers by where they came from: hit, miss, or not_modified.",
            ("outcome",),
            registry=self.registry,
        )


def register(app: Flask) -> None:
    """Observe every request. To be called before other hooks are registered, so that theirs are within."""
    app.extensions[_KEY] = Metrics()

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        write = _record(metrics(), response)
        if response.is_streamed:
            response.call_on_close(write)
        else:
            write()
        return response


def metrics() -> Metrics:
    """The figures of the app that answers this request."""
    found: Metrics = current_app.extensions[_KEY]
    return found


def count_cache(outcome: Literal["hit", "miss", "not_modified"]) -> None:
    """Count where an answer came from."""
    metrics().cache.labels(outcome).inc()


def _record(figures: Metrics, response: Response) -> Callable[[], None]:
    """Writes the request down once its answer is sent; there may be no request any more by then."""
    began: float = g.began
    line: dict[str, Any] = {
        **about_request(),
        "parameters": [name for name in request.args if _PARAMETER.fullmatch(name)],
        "status": response.status_code,
    }
    if "build_id" in g:
        line["build_id"] = g.build_id

    def write() -> None:
        seconds = time.perf_counter() - began
        labels = (line["method"], line["route"])
        figures.requests.labels(*labels, response.status_code).inc()
        figures.seconds.labels(*labels).observe(seconds)
        log.info("request", extra={**line, "duration_ms": round(seconds * 1000, 1)})

    return write
