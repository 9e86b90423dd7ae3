"""The compose file's services, started by their very commands on this machine.

A second Postgres server stands for the service `postgres`, made ready by the script that the image
would run; host names and ports are replaced, everything else is as the file has it.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline.supervisor.processes import end_groups, last_lines
from pipeline.warehouse.binaries import wheel_programs
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import SUPERUSER, EmbeddedServer
from pipeline.warehouse.urls import parse_url
from tests.e2e import compose_file

SAMPLE = PROJECT_ROOT / "tests" / "data" / "sales_sample.csv"
# Seven Python programs start here, on whatever machine there is.
pytestmark = pytest.mark.timeout(900)
PASSWORD = "four unrelated words"
START_SECONDS = 240
REFRESH_SECONDS = 240


@dataclass
class Containers:
    """The services as plain processes: no isolation, the same commands and environment."""

    home: Path
    logs: Path
    server: EmbeddedServer
    places: dict[str, str]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def api(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """A client of the API; its callers log in."""
        url = f"http://127.0.0.1:{self.places['8000']}"
        return httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)

    def execute(self, name: str, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """`docker compose exec NAME tillhouse …`."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            env=self.environment(name),
            cwd=PROJECT_ROOT,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, name: str) -> None:
        """Start a service."""
        service = compose_file.services()[name]
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self._placed(service["command"]),
                env=self.environment(name),
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run_to_its_end(self, name: str) -> int:
        """Run a one-shot service; its exit code."""
        self.start(name)
        return self.running[name].wait(START_SECONDS)

    def is_healthy(self, name: str) -> bool:
        """Whether the service's own health check succeeds."""
        command = self._placed(compose_file.services()[name]["healthcheck"]["test"][1:])
        result = subprocess.run(
            command,
            env=self.environment(name),
            cwd=PROJECT_ROOT,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return result.returncode == 0

    def await_health(self, name: str) -> None:
        """Wait until the health check succeeds."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_healthy(name):
            ended = self.running[name].poll()
            assert ended is None, f"{name} ended with {ended}:\n{last_lines(self.logs / f'{name}.log')}"
            assert time.monotonic() < deadline, f"{name}:\n{last_lines(self.logs / f'{name}.log')}"
            time.sleep(0.5)

    def stop(self, name: str) -> None:
        """Kill a service and all that it started."""
        process = self.running.pop(name)
        end_groups([process.pid], grace_seconds=0)
        process.wait()

    def stop_all(self) -> None:
        """End every service, the last one first."""
        end_groups([process.pid for process in reversed(self.running.values())], grace_seconds=10)
        for process in self.running.values():
            process.wait()

    def environment(self, name: str) -> dict[str, str]:
        """The container's environment, on this machine."""
        found = compose_file.image_environment() | compose_file.services()[name]["environment"]
        placed = {name: compose_file.moved(value, self.places) for name, value in found.items()}
        path = f"{Path(sys.executable).parent}:{wheel_programs()}:{os.environ['PATH']}"
        return {"PATH": path, **placed}

    def _placed(self, command: list[str]) -> list[str]:
        return [compose_file.moved(part, self.places) for part in command]


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """All services, each of them healthy, in the order of the file's `depends_on`."""
    folder = Path(tempfile.mkdtemp(prefix="tillhouse-compose-"))
    folder.chmod(0o711)
    (folder / "logs").mkdir()
    server = EmbeddedServer(folder / "postgres")
    server.start()
    port = parse_url(server.url(SUPERUSER, "postgres"), "the server")["port"]
    places = {
        "postgres:5432": f"127.0.0.1:{port}",
        "dagster:3000": f"127.0.0.1:{(dagster := free_port())}",
        "code-location": "127.0.0.1",
        "0.0.0.0": "127.0.0.1",
        "4266": free_port(),
        "3000": dagster,
        "8000": free_port(),
        "/var/lib/tillhouse": str(folder / "home"),
        "/app": str(PROJECT_ROOT),
    }
    found = Containers(folder / "home", folder / "logs", server, places)
    try:
        make_role_and_database(server)
        assert found.run_to_its_end("prepare") == 0, last_lines(found.logs / "prepare.log")
        found.start("api")
        found.start("code-location")
        found.await_health("code-location")
        found.start("dagster")
        found.start("daemon")
        for name in ("api", "dagster", "daemon"):
            found.await_health(name)
        yield found
    finally:
        found.stop_all()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def make_role_and_database(server: EmbeddedServer) -> None:
    """What the Postgres image does when its volume is new."""
    admin = parse_url(server.url(SUPERUSER, "postgres"), "the server")
    environment = compose_file.services()["postgres"]["environment"]
    subprocess.run(
        [
            *(wheel_programs() / "psql", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--host", admin["host"]),
            *("--port", admin["port"], "--username", SUPERUSER, "--dbname", "postgres"),
            *("--file", PROJECT_ROOT / "docker" / "postgres" / "10-tillhouse.sql"),
        ],
        env={
            "PATH": os.environ["PATH"],
            "PGPASSWORD": admin["password"],
            "TILLHOUSE_DATABASE_PASSWORD": environment["TILLHOUSE_DATABASE_PASSWORD"],
        },
        check=True,
        timeout=60,
    )


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def refreshed(api: httpx.Client) -> dict[str, Any]:
    """Ask for a refresh and wait for its end."""
    answer = api.post("/refresh")
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + REFRESH_SECONDS
    while time.monotonic() < deadline:
        job: dict[str, Any] = api.get(answer.headers["Location"]).json()["data"]
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(0.2)
    raise AssertionError(f"the refresh did not end: {job}")


def await_lineage(api: httpx.Client) -> None:
    """The lineage page is written by the code location, after the numbers; the API serves it."""
    deadline = time.monotonic() + REFRESH_SECONDS
    while (status := api.get("/lineage").status_code) != 200:
        assert time.monotonic() < deadline, status
        time.sleep(0.5)


def test_every_service_is_healthy_and_the_api_is_ready(containers: Containers) -> None:
    with containers.api() as api:
        answer = api.get("/readyz")
    assert answer.status_code == 200
    assert {name: part["status"] for name, part in answer.json()["parts"].items()} == {
        "postgres": "ok",
        "numbers": "none_yet",
        "dagster": "ok",
    }


@pytest.fixture(scope="module")
def admin(containers: Containers) -> dict[str, str]:
    """The first account, made as the compose file says; the header with its access token."""
    made = containers.execute(
        *("code-location", "user", "add", "anna", "--role", "admin", "--password-stdin"),
        given=f"{PASSWORD}\n",
    )
    assert (made.returncode, made.stdout) == (0, "anna: user, admin, active\n"), made.stderr
    with containers.api() as api:
        form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
        answer = api.post("/api/v1/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_without_a_login_no_number_is_told_and_nothing_is_started(containers: Containers) -> None:
    with containers.api() as api:
        for answer in (api.get("/api/v1/revenue/total"), api.post("/refresh")):
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_the_apis_container_can_make_no_account(containers: Containers) -> None:
    made = containers.execute("api", "user", "add", "eve", "--client", "--role", "admin")
    assert made.returncode == 1
    assert "Error: cannot connect to database" in made.stderr
    assert "Traceback" not in made.stderr


def test_the_owner_of_the_warehouse_is_no_superuser(containers: Containers) -> None:
    with connect(containers.server.url(SUPERUSER, "postgres")) as connection:
        row = connection.execute(
            "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = 'tillhouse'"
        ).fetchone()
    assert row == (False, True, True)


def test_a_file_in_the_inbox_is_published_by_a_refresh_and_read_from_the_api(
    containers: Containers, admin: dict[str, str]
) -> None:
    inbox = containers.home / "inbox"
    shutil.copy(SAMPLE, inbox / ".sales.csv")
    (inbox / ".sales.csv").rename(inbox / "sales.csv")
    with containers.api(admin) as api:
        job = refreshed(api)
        assert job["status"] == "succeeded", job
        answer = api.get(
            "/api/v1/revenue",
            params={"group_by": "region", "start_date": "2024-01-01", "end_date": "2024-12-31"},
        ).json()
        await_lineage(api)
    assert {row["region"]: row["gross_revenue"] for row in answer["data"]} == {
        "Asia": "2777.97",
        "Europe": "1299.00",
        "North America": "349.99",
        "South America": "180.00",
    }
    assert [path.name for path in inbox.iterdir()] == []
    assert (containers.home / "loaded" / "default" / "sales.csv").read_bytes() == SAMPLE.read_bytes()


def test_a_code_location_that_was_killed_comes_back_by_its_own_command(
    containers: Containers, admin: dict[str, str]
) -> None:
    containers.stop("code-location")
    assert not containers.is_healthy("code-location")
    with containers.api(admin) as api:
        assert api.get("/api/v1/revenue/total").status_code == 200
        containers.start("code-location")
        containers.await_health("code-location")
        job = refreshed_when_dagster_knows_it(api)
    assert job["status"] == "succeeded"


def refreshed_when_dagster_knows_it(api: httpx.Client) -> dict[str, Any]:
    """A refresh, once the webserver has seen that the code location is back."""
    deadline = time.monotonic() + 60
    while (answer := api.post("/refresh")).status_code == 503:
        assert time.monotonic() < deadline, answer.text
        time.sleep(1)
    return refreshed(api)
