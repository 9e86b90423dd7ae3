"""The e2e tests use the builds' workbench, and a stack as `tillhouse up` starts it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls
from tests.pipeline.builds.conftest import dbt_settings, recorded_dbt, workbench

__all__ = ["dbt_settings", "recorded_dbt", "workbench"]


@dataclass
class Stack:
    """A running Tillhouse of its own home."""

    home: Path
    services: dict[str, Any]

    @property
    def api(self) -> httpx.Client:
        """A client of its API."""
        return httpx.Client(base_url=self.services["api_url"], timeout=30, trust_env=False)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this home."""
        return tillhouse(self.home, *arguments)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the owner's database answers."""
        urls = database_urls(Settings(home=self.home))
        with connect(urls.owner) as connection:
            return connection.execute(query, values).fetchall()


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def tillhouse(
    home: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env=os.environ | {"TILLHOUSE_HOME": str(home)} | (environment or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """`tillhouse up --detach --no-sample`, and down again."""
    # Ports of its own: another worker may be starting a stack at the same moment. Two code locations could
    # even share a port (gRPC lets them), and each would be sent runs of the other's warehouse.
    names = ("TILLHOUSE_API_PORT", "TILLHOUSE_DAGSTER_PORT", "TILLHOUSE_CODE_PORT")
    ports = {name: free_port() for name in names}
    started = tillhouse(home, "up", "--detach", "--no-sample", environment=ports)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        status = json.loads(tillhouse(home, "status", "--json").stdout)
        yield Stack(home, status)
    finally:
        stopped = tillhouse(home, "down")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of these tests."""
    with tempfile.TemporaryDirectory(prefix="tillhouse-stack-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running_stack(home) as running:
            yield running
