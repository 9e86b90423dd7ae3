"""The settings that a run of Dagster would read, and jobs for it to do."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

MakeJob = Callable[..., str]


@pytest.fixture
def run_settings(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of a run: the test's own warehouse."""
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def make_job(warehouse: Warehouse) -> MakeJob:
    """A maker of queued job rows; gives their ids."""

    def make(
        kind: str, status: str = "queued", request: dict[str, Any] | None = None, job: UUID | None = None
    ) -> str:
        job_id = job or uuid4()
        with connect(warehouse.urls.owner) as connection:
            connection.execute(
                "insert into app.jobs (job_id, kind, status, requested_by, request)"
                " values (%s, %s, %s, 'api', %s)",
                (job_id, kind, status, Jsonb(request or {})),
            )
        return str(job_id)

    return make


@pytest.fixture
def ask(warehouse: Warehouse) -> Callable[..., list[tuple[Any, ...]]]:
    """Ask the test's database."""

    def answer(query: str, *values: object) -> list[tuple[Any, ...]]:
        with connect(warehouse.urls.owner) as connection:
            return connection.execute(query.encode(), values).fetchall()

    return answer
