"""Servers to fetch from."""

from collections.abc import Iterator

import pytest

from tests.pipeline.fetching.web_server import WebServer, web_server


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server on this machine."""
    with web_server() as server:
        yield server
