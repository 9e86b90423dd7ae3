"""What every test may use: an embedded Postgres, fresh databases on it, the test data.

A test that needs a database takes the fixture `warehouse`; it costs a copy of a migrated
template (some 50 ms). A test that needs the larger files takes `test_data`. A test that needs a
program that the project does not install takes `tool` (a fixture of several tests calls `find_tool`).
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import sql

from pipeline.settings import PROJECT_ROOT, Settings, get_settings
from pipeline.warehouse.connect import DatabaseUrls, connect, database_urls
from pipeline.warehouse.embedded import SUPERUSER, EmbeddedServer
from pipeline.warehouse.prepare import ensure_warehouse
from pipeline.warehouse.urls import build_url, parse_url

_SET_BY_USERS = ("TILLHOUSE_", "DATABASE_URL", "DAGSTER_", "PG")
_OURS = ("TILLHOUSE_TEST_DATA", "TILLHOUSE_INSIST", "TILLHOUSE_SCREENSHOTS")


@dataclass(frozen=True)
class Warehouse:
    """A fresh, migrated database of one test.

    Attributes:
        urls: its addresses; Dagster's is the owner's (its tables go to the schema `public`).
        settings: settings that name it, with a home folder of the test's own.
        environment: the same for a child process (add it to `os.environ`).
    """

    urls: DatabaseUrls
    settings: Settings
    environment: dict[str, str]


def pytest_configure(config: pytest.Config) -> None:
    """Start from a clean environment: a user's own settings must not reach the tests."""
    for name in list(os.environ):
        if name.startswith(_SET_BY_USERS) and name not in _OURS:
            del os.environ[name]
    get_settings.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones, so that no process is left alone with them at the end."""
    long = ("tests/e2e/", "tests/browser/", "tests/pipeline/builds/")
    items.sort(key=lambda item: not item.nodeid.startswith(long))


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty runtime folder that the user who runs Postgres can pass through.

    (pytest's own `tmp_path` is closed to other users, so as root it would send every embedded
    server to the fallback folder.)
    """
    folder = _open_folder()
    yield folder
    EmbeddedServer(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    """The embedded server of this test process, prepared as a user's would be."""
    folder = _open_folder()
    server = EmbeddedServer(folder)
    try:
        ensure_warehouse(Settings(home=folder), lambda line: None)
        # Its databases live for seconds; nothing has to survive a power cut.
        with connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for statement in (
                "alter system set fsync = off",
                "alter system set full_page_writes = off",
                "select pg_reload_conf()",
            ):
                connection.execute(statement)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def warehouse(postgres_server: EmbeddedServer) -> Iterator[Warehouse]:
    """A fresh database, a copy of the migrated one, dropped after the test."""
    with fresh_warehouse(postgres_server) as made:
        yield made


@contextmanager
def fresh_warehouse(server: EmbeddedServer) -> Iterator[Warehouse]:
    """The same for fixtures that several tests share."""
    urls = database_urls(Settings(home=server.home))
    name = f"test_{uuid4().hex[:12]}"
    folder = _open_folder()
    with connect(server.url(SUPERUSER, "postgres"), autocommit=True) as admin:
        admin.execute(
            # Of a small database the files are copied sooner than its pages are written anew.
            sql.SQL("create database {} template tillhouse owner tillhouse strategy file_copy").format(
                sql.Identifier(name)
            )
        )
        try:
            yield _named(urls, name, folder)
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of the larger test files; without it the tests that need it are not run."""
    folder = Path(os.environ.get("TILLHOUSE_TEST_DATA", PROJECT_ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("test data folder absent (set TILLHOUSE_TEST_DATA)")
    return folder.resolve()


@pytest.fixture
def tool() -> Callable[[str], str]:
    """`find_tool`."""
    return find_tool


def find_tool(name: str) -> str:
    """Look up a program by name: its path; without it the test is not run, or fails under
    TILLHOUSE_INSIST=1."""
    path = shutil.which(name)
    if path is None:
        reason = f"program {name} absent"
        if os.environ.get("TILLHOUSE_INSIST") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end which tests were not run, and why."""
    reasons: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    if not reasons:
        return
    terminalreporter.section("not run")
    for reason, names in sorted(reasons.items()):
        terminalreporter.line(f"{reason}:")
        for name in sorted(names):
            terminalreporter.line(f"  {name}")


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tillhouse-test-"))
    folder.chmod(0o711)
    return folder


def _named(urls: DatabaseUrls, database: str, home: Path) -> Warehouse:
    def renamed(url: str) -> str:
        return build_url({**parse_url(url, "a test's address"), "dbname": database})

    own = DatabaseUrls(
        owner=renamed(urls.owner),
        reader=renamed(urls.reader),
        app=renamed(urls.app),
        dagster=renamed(urls.owner),
    )
    environment = {
        "TILLHOUSE_HOME": str(home),
        "DATABASE_URL": own.owner,
        "DAGSTER_DATABASE_URL": own.dagster,
        "TILLHOUSE_READER_DATABASE_URL": own.reader,
        "TILLHOUSE_APP_DATABASE_URL": own.app,
    }
    settings = Settings(
        home=home,
        DATABASE_URL=own.owner,
        DAGSTER_DATABASE_URL=own.dagster,
        reader_database_url=own.reader,
        app_database_url=own.app,
    )
    return Warehouse(own, settings, environment)
