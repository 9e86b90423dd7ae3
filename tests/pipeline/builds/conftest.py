"""A warehouse that tests load files into and build, without Dagster."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from pipeline.builds.dbt_runner import NodeResult, load_manifest
from pipeline.builds.declarations import Published, read_declarations
from pipeline.builds.plan import Build, start_build
from pipeline.builds.publish import Publication, publish
from pipeline.landing import BatchResult, land
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.builds.recorded_dbt import RecordedDbt
from tests.pipeline.landing.calls import request_of


@dataclass
class Workbench:
    """Lands texts as files, builds, and looks at what is published."""

    warehouse: Warehouse
    dbt: RecordedDbt
    declarations: tuple[Published, ...]
    connection: Connection
    folder: Path

    def land(self, *texts: str, **options: Any) -> list[BatchResult]:
        """Land each text as a file of one call; ``options`` are LandingRequest's."""
        paths = []
        for text in texts:
            path = self.folder / f"file_{len(list(self.folder.iterdir()))}.csv"
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        return land(self.warehouse.urls.owner, request_of(tuple(paths), **options), lambda progress: None)

    def start(self, *, full: bool = False) -> Build | None:
        """Begin a build."""
        return start_build(self.connection, self.declarations, full=full, minor_digits=2, requested_by="test")

    def run_dbt(self) -> list[NodeResult]:
        """Make the candidate."""
        return self.dbt.build(self.warehouse.urls.owner)

    def build(self, *, full: bool = False) -> Publication:
        """One whole build, whose checks must pass."""
        build = self.start(full=full)
        assert build is not None
        results = self.run_dbt()
        failed = {result.name: result.message for result in results if not result.passed}
        assert failed == {}
        return publish(self.connection, build, self.declarations)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query of the test answers."""
        return self.connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def dbt_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One folder of dbt artifacts for all tests: parsing takes seconds."""
    return Settings(home=tmp_path_factory.mktemp("dbt-home"))


@pytest.fixture(scope="session")
def recorded_dbt(dbt_settings: Settings) -> RecordedDbt:
    """One record of dbt's statements for all tests."""
    return RecordedDbt(dbt_settings)


@pytest.fixture
def workbench(
    warehouse: Warehouse, dbt_settings: Settings, recorded_dbt: RecordedDbt, tmp_path: Path
) -> Iterator[Workbench]:
    """An empty warehouse to build in."""
    declarations = read_declarations(load_manifest(dbt_settings))
    folder = tmp_path / "files"
    folder.mkdir()
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        yield Workbench(warehouse, recorded_dbt, declarations, connection, folder)
