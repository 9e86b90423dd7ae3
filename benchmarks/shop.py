"""A warehouse that benchmarks load files into and build, as a refresh does it, in this process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.builds.dbt_runner import build_candidate, load_manifest
from pipeline.builds.declarations import Published, read_declarations
from pipeline.builds.plan import start_build
from pipeline.builds.publish import Publication, analyze_published, publish
from pipeline.landing import LandingRequest, land
from pipeline.sources import SourceSettings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse


@dataclass(frozen=True)
class Shop:
    """One warehouse, and how to refresh it."""

    warehouse: Warehouse
    declarations: tuple[Published, ...]

    def refresh(self, file: Path, **settings: Any) -> tuple[float, Publication]:
        """Land a file, build, publish; the seconds, and what was published."""
        owner = self.warehouse.urls.owner
        started = time.perf_counter()
        [result] = land(
            owner, LandingRequest((file,), settings=SourceSettings(**settings)), lambda progress: None
        )
        assert result.status == "landed", result.message
        with connect(owner, autocommit=True) as connection:
            build = start_build(
                connection, self.declarations, full=False, minor_digits=2, requested_by="bench"
            )
            assert build is not None
            results = build_candidate(self.warehouse.settings, owner, full=build.is_full)
            assert all(result.passed for result in results)
            publication = publish(connection, build, self.declarations)
            if publication.is_full:
                analyze_published(connection, self.declarations)
        return time.perf_counter() - started, publication


@contextmanager
def open_shop(server: EmbeddedServer) -> Iterator[Shop]:
    """An empty warehouse, dropped afterwards."""
    with fresh_warehouse(server) as warehouse:
        declarations = read_declarations(load_manifest(warehouse.settings))
        yield Shop(warehouse, declarations)
