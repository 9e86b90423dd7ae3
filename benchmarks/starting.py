"""From `tillhouse up` to the first answer of its API."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from benchmarks.figures import Figure
from benchmarks.turns import ROUNDS
from pipeline.warehouse.embedded import EmbeddedServer
from tests.e2e.conftest import free_port, tillhouse
from tests.pipeline.landing.files import SAMPLE

AIM_SECONDS = 12.0


def measure(_server: EmbeddedServer, _folder: Path, _rows: int) -> list[Figure]:
    """Of a home that has numbers already, and of a new one, which makes its database first."""
    new, known = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="tillhouse-bench-") as folder:
            home = Path(folder)
            home.chmod(0o711)
            new.append(_seconds_to_ready(home))
            loaded = tillhouse(home, "load", str(SAMPLE))
            assert loaded.returncode == 0, loaded.stderr
            tillhouse(home, "down")
            known.append(_seconds_to_ready(home))
            tillhouse(home, "down")
    return [
        Figure(what, f"{AIM_SECONDS:g} s", 6, median(seconds), AIM_SECONDS, median(seconds) / AIM_SECONDS,
               "s", aim, "at most")
        for what, seconds, aim in (
            ("`tillhouse up` to the first answer", known, 1.0),
            ("the same in a new home, which makes its database first", new, None),
        )
    ]  # fmt: skip


def _seconds_to_ready(home: Path) -> float:
    """Start it, and ask until the API says that it and what it needs are ready."""
    port = free_port()
    environment = os.environ | {
        "TILLHOUSE_HOME": str(home), "TILLHOUSE_API_PORT": port, "TILLHOUSE_DAGSTER_PORT": free_port(),
    }  # fmt: skip
    started = time.perf_counter()
    starting = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "up", "--detach", "--no-sample"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            assert starting.poll() in (None, 0), "it did not start"
            time.sleep(0.05)
        return time.perf_counter() - started
    finally:
        assert starting.wait() == 0


def _answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
