"""`tillhouse up` and `down` with the real services."""

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.warehouse.embedded import EmbeddedServer
from tests.pipeline.cli.commands import tillhouse

_SECONDS = 180


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def status(environment: dict[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(tillhouse("status", "--json", environment=environment).stdout)
    return content


def code_location(environment: dict[str, str]) -> dict[str, Any]:
    services = status(environment)["services"]
    found: dict[str, Any] = next(service for service in services if service["name"] == "code-location")
    return found


def graphql(url: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        content: dict[str, Any] = json.load(answer)["data"]
        return content


@pytest.fixture
def environment(home: Path) -> Iterator[dict[str, str]]:
    environment = {
        "TILLHOUSE_HOME": str(home),
        "TILLHOUSE_API_PORT": str(free_port()),
        "TILLHOUSE_DAGSTER_PORT": str(free_port()),
        "TILLHOUSE_CODE_PORT": str(free_port()),
    }
    yield environment
    tillhouse("down", environment=environment)


@pytest.mark.timeout(900)
def test_up_serves_survives_a_killed_code_location_and_down_leaves_no_process(
    environment: dict[str, str], home: Path
) -> None:
    up = tillhouse("up", "--detach", "--no-sample", environment=environment)
    assert up.returncode == 0, up.stdout + up.stderr
    api = f"http://127.0.0.1:{environment['TILLHOUSE_API_PORT']}"
    dagster = f"http://127.0.0.1:{environment['TILLHOUSE_DAGSTER_PORT']}"
    assert f"Tillhouse is ready. Dashboard: {api}   API: {api}/docs   Runs: {dagster}" in up.stdout

    now = status(environment)
    assert (now["status"], now["api_url"], now["dagster_url"]) == ("ready", api, dagster)
    assert {service["name"]: service["status"] for service in now["services"]} == {
        "code-location": "ready",
        "dagster": "ready",
        "daemon": "ready",
        "api": "ready",
    }
    with urllib.request.urlopen(f"{api}/healthz", timeout=60) as answer:
        assert answer.status == 200
    jobs = graphql(dagster, "{repositoriesOrError{... on RepositoryConnection{nodes{name jobs{name}}}}}")
    assert "refresh" in {job["name"] for job in jobs["repositoriesOrError"]["nodes"][0]["jobs"]}

    again = tillhouse("up", environment=environment)
    assert again.returncode == 0
    assert f"running already (process {now['pid']}). Dashboard: {api}   API: {api}/docs" in again.stdout

    os.kill(code_location(environment)["pid"], signal.SIGKILL)
    deadline = time.monotonic() + _SECONDS
    while (code := code_location(environment))["status"] != "ready" or code["restarts"] != 1:
        assert time.monotonic() < deadline, code
        time.sleep(0.5)

    supervisor = psutil.Process(now["pid"])
    postmaster = EmbeddedServer(home).process()
    assert postmaster is not None
    processes = [supervisor, *supervisor.children(recursive=True), postmaster]
    assert tillhouse("down", environment=environment).stdout == "Stopped.\n"
    assert [process for process in processes if process.is_running()] == []
    assert status(environment)["status"] == "stopped"
    assert tillhouse("down", environment=environment).stdout == "Nothing was running.\n"


def test_a_set_port_that_is_taken_ends_up_with_an_error_and_leaves_no_database_running(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = tillhouse("up", environment={"TILLHOUSE_HOME": str(home), "TILLHOUSE_API_PORT": str(port)})
    assert result.returncode == 1
    assert f"Error: port {port} (TILLHOUSE_API_PORT) on 127.0.0.1 is taken" in result.stderr
    assert EmbeddedServer(home).process() is None
