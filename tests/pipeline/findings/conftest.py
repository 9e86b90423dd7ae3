"""What is gathered of lines that a test publishes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from psycopg import Connection

from pipeline.answers.snapshots import read_only_snapshot
from pipeline.findings.gathering import Findings, gather
from pipeline.warehouse.connect import connect
from tests.api.published import Line, publish
from tests.conftest import Warehouse

Gather = Callable[..., Findings]
Publish = Callable[[list[Line]], int]


@contextmanager
def snapshot(warehouse: Warehouse) -> Iterator[Connection]:
    """A reader's connection, as reports are made from."""
    with connect(warehouse.urls.reader) as connection:
        read_only_snapshot(connection)
        yield connection


@pytest.fixture
def publish_lines(warehouse: Warehouse) -> Publish:
    """Publish lines as a new build; gives its id."""

    def make(lines: list[Line]) -> int:
        with connect(warehouse.urls.owner) as connection:
            return publish(connection, lines)

    return make


@pytest.fixture
def gathered(warehouse: Warehouse) -> Gather:
    """What is gathered of some dates, both given as ISO texts or left out."""

    def make(start: str | None = None, end: str | None = None, currency: str = "USD") -> Findings:
        with snapshot(warehouse) as connection:
            return gather(
                connection,
                date.fromisoformat(start) if start else None,
                date.fromisoformat(end) if end else None,
                currency=currency,
                time_zone="UTC",
            )

    return make
