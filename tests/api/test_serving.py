"""``python -m api``: the very process that a user runs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from tests.conftest import Warehouse


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(warehouse: Warehouse, **changed: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    environment = os.environ | warehouse.environment | {"TILLHOUSE_API_PORT": str(port)} | changed
    process = subprocess.Popen(
        [sys.executable, "-m", "api"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_until_up(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            httpx.get(f"{address}/healthz", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the API did not answer")


@pytest.mark.usefixtures("golden")
def test_it_serves_until_told_to_stop(warehouse: Warehouse) -> None:
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        answer = httpx.get(f"{address}/api/v1/revenue/total").json()
        assert answer["data"]["net_revenue"] == "4712.5675"
        assert httpx.get(f"{address}/readyz", headers={"Host": "evil.example"}).status_code == 403
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_killed_parent_leaves_no_worker(warehouse: Warehouse) -> None:
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert alive == []


def test_it_refuses_to_listen_beyond_loopback_unasked(warehouse: Warehouse) -> None:
    with serving(warehouse, TILLHOUSE_API_HOST="0.0.0.0") as (process, _):
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 2
        assert b"TILLHOUSE_ALLOW_REMOTE=true" in output
        assert b"Traceback" not in output
