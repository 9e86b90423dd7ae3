"""Three data sets, each loaded by the product and, independently, by the reference."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.app import close, create_app
from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse
from tests.e2e.second_computation.made_files import make_deliveries
from tests.e2e.second_computation.reference import Delivery, Reference


@dataclass(frozen=True)
class Loaded:
    """The API over what the product made of some files, and the reference over the same files."""

    client: FlaskClient
    deliveries: Sequence[Delivery]
    reference: Reference


@pytest.fixture(scope="module")
def loaded(
    postgres_server: EmbeddedServer, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Loaded]]:
    """Every data set by its name."""
    deliveries = {
        "online_retail": [Delivery(test_data / "online_retail.csv.gz")],
        "chinook": [Delivery(test_data / "chinook.csv")],
        "made": make_deliveries(tmp_path_factory.mktemp("made")),
    }
    with ExitStack() as stack:
        warehouses = {name: stack.enter_context(fresh_warehouse(postgres_server)) for name in deliveries}
        # Side by side: each takes a minute or less, most of it one core's.
        with ThreadPoolExecutor() as threads:
            list(threads.map(load, warehouses.values(), deliveries.values()))
        made = {}
        for name, warehouse in warehouses.items():
            app = create_app(warehouse.settings, warehouse.urls)
            stack.callback(close, app)
            made[name] = Loaded(app.test_client(), deliveries[name], Reference(deliveries[name]))
        yield made


def load(warehouse: Warehouse, deliveries: Sequence[Delivery]) -> None:
    """Load and publish the files one after another, as a user does."""
    for delivery in deliveries:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "load", delivery.path, "--source", delivery.source],
            env=os.environ | warehouse.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
