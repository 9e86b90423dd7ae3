"""The services of one warehouse: their commands, ports, and how to know that they are ready."""

import http.client
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import psycopg

from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.supervisor.instance import prepare_instance
from pipeline.supervisor.ports import answers, choose_port, http_url, reachable_host
from pipeline.supervisor.supervise import Plan, Service
from pipeline.warehouse.connect import DatabaseUrls, connect
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.place import make_home, private_folder

_API_PORT = 8000
_DAGSTER_PORT = 3000
_CODE_PORT = 4266
_LOCATION = """{ workspaceLocationEntryOrError(name: "tillhouse") {
  ... on WorkspaceLocationEntry { locationOrLoadError { __typename } }
} }"""


def plan_services(
    settings: Settings, urls: DatabaseUrls, *, no_sample: bool, upkeep: Callable[[], None]
) -> Plan:
    """The four services, on ports that are free now.

    Raises:
        SupervisorError: a port that is set is taken.
    """
    make_home(settings.home)
    private_folder(settings.inbox_folder)
    api_port = choose_port(settings.api_host, settings.api_port, _API_PORT, "TILLHOUSE_API_PORT")
    dagster_port = choose_port(
        settings.dagster_host, settings.dagster_port, _DAGSTER_PORT, "TILLHOUSE_DAGSTER_PORT"
    )
    code_port = choose_port(settings.code_host, settings.code_port, _CODE_PORT, "TILLHOUSE_CODE_PORT")
    api_url = http_url(settings.api_host, api_port)
    dagster_url = http_url(settings.dagster_host, dagster_port)
    environment = {
        **os.environ,
        **prepare_instance(settings, urls),
        "TILLHOUSE_API_HOST": settings.api_host,
        "TILLHOUSE_API_PORT": str(api_port),
        "TILLHOUSE_CODE_HOST": reachable_host(settings.code_host),
        "TILLHOUSE_CODE_PORT": str(code_port),
        "TILLHOUSE_DAGSTER_URL": dagster_url,
    }
    python = sys.executable
    workspace = str(PROJECT_ROOT / "workspace.yaml")
    # Dagster's processes make its tables when there are none: then one has to come first.
    is_new = not _has_dagster_tables(urls.dagster)
    services = (
        Service(
            name="code-location",
            command=[
                *(python, "-m", "pipeline.supervisor.code_location"),
                *("--host", settings.code_host, "--port", str(code_port)),
            ],
            is_ready=lambda _: answers(reachable_host(settings.code_host), code_port),
            recovers_on_death=True,
        ),
        Service(
            name="dagster",
            command=[
                *(python, "-m", "dagster_webserver", "-w", workspace),
                *("--host", settings.dagster_host, "--port", str(dagster_port)),
            ],
            is_ready=lambda _: _has_read_location(settings.dagster_host, dagster_port),
            url=dagster_url,
            starts_after_recovery=is_new,
        ),
        Service(
            name="daemon",
            command=[python, "-m", "dagster._daemon", "run", "-w", workspace],
            is_ready=lambda started_at: _has_beaten(urls.dagster, started_at),
            starts_after_recovery=True,
        ),
        Service(
            name="api",
            command=[python, "-m", "api"],
            is_ready=lambda _: _serves(settings.api_host, api_port, "/healthz"),
            url=api_url,
        ),
    )
    return Plan(
        home=settings.home,
        services=services,
        environment=environment,
        folder=PROJECT_ROOT,
        recover=[python, "-m", "pipeline.supervisor.tasks", "recover"],
        greeting=(
            f"Tillhouse is ready. Dashboard: {api_url}   API: {api_url}/docs   Runs: {dagster_url}",
            f"Drop CSV files into {settings.inbox_folder}, or run `tillhouse load FILE`.",
        ),
        introduce=[python, "-m", "pipeline.supervisor.tasks", "introduce", *(["--no-sample"] * no_sample)],
        upkeep=upkeep,
        api_url=api_url,
        dagster_url=dagster_url,
    )


def _serves(host: str, port: int, path: str) -> bool:
    """Whether a GET of this path answers with a 200."""
    return _got(host, port, path) is not None


def _has_read_location(host: str, port: int) -> bool:
    """Whether Dagster's webserver knows what it may run: it reads the code location after it has begun."""
    answer = _got(host, port, f"/graphql?{urlencode({'query': _LOCATION})}")
    return answer is not None and b'"RepositoryLocation"' in answer


def _got(host: str, port: int, path: str) -> bytes | None:
    connection = http.client.HTTPConnection(reachable_host(host), port, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.read() if response.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _has_beaten(dagster_url: str, started_at: float) -> bool:
    """Whether a daemon has written its heartbeat since this time."""
    since = datetime.fromtimestamp(started_at, UTC).replace(tzinfo=None)
    try:
        with connect(dagster_url, application_name="tillhouse-check") as connection:
            row = connection.execute(
                "select exists (select from daemon_heartbeats where timestamp >= %s)", (since,)
            ).fetchone()
    except (psycopg.Error, WarehouseError):
        return False
    return row is not None and bool(row[0])


def _has_dagster_tables(dagster_url: str) -> bool:
    with connect(dagster_url, application_name="tillhouse-check") as connection:
        row = connection.execute("select to_regclass('daemon_heartbeats') is not null").fetchone()
    return row is not None and bool(row[0])
