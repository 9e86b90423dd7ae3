"""What `doctor` looks at. Each check says what it found and, when that is a problem, what to do."""

import importlib.metadata
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from pipeline.settings import PROJECT_ROOT, Settings, get_settings
from pipeline.supervisor.ports import choose_port
from pipeline.supervisor.state import read_state
from pipeline.warehouse.binaries import server_user, usable_programs
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.migrate import applied_revision, newest_revision
from pipeline.warehouse.passwords import secrets_folder
from pipeline.warehouse.place import read_place

_PYTHONS = ((3, 11), (3, 13))
_LEAST_FREE_GIGABYTES = 2
_OLDEST_POSTGRES = 150_000
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]+))?")


@dataclass(frozen=True)
class Check:
    """The outcome of one look.

    Attributes:
        name: what was looked at.
        is_ok: whether it is as it should be.
        found: what was found.
        advice: what to do; empty when there is nothing to do.
    """

    name: str
    is_ok: bool
    found: str
    advice: str = ""


def all_checks() -> list[tuple[str, Callable[[], Check]]]:
    """Every check, in the order in which a problem should be looked at."""
    return [
        ("settings", check_settings),
        ("Python", check_python),
        ("packages", check_packages),
        ("time zone", check_time_zone),
        ("home folder", check_home),
        ("secrets", check_secrets),
        ("disk space", check_disk),
        ("ports", check_ports),
        ("Postgres", check_postgres),
        ("roles", check_roles),
    ]


def check_settings() -> Check:
    """Whether the environment can be read."""
    settings = get_settings()
    given = "DATABASE_URL" if settings.database_url else "the embedded Postgres"
    return Check("settings", True, f"home {settings.home}, {given}")


def check_python() -> Check:
    """Whether this Python is one that the project is tested with."""
    lowest, highest = _PYTHONS
    found = ".".join(map(str, sys.version_info[:3]))
    if lowest <= sys.version_info[:2] <= highest:
        return Check("Python", True, found)
    wanted = f"{lowest[0]}.{lowest[1]} to {highest[0]}.{highest[1]}"
    return Check(
        "Python", False, found, f"use Python {wanted}: make install PYTHON=python{lowest[0]}.{lowest[1]}"
    )


def check_packages(lock: Path = PROJECT_ROOT / "requirements.lock") -> Check:
    """Whether the installed packages are those of the lock file."""
    if not lock.exists():
        return Check("packages", True, "no lock file here to compare with")
    differing, count = [], 0
    for line in lock.read_text(encoding="utf-8").splitlines():
        pinned = _PINNED.match(line)
        if pinned is None or (pinned[3] and not Marker(pinned[3].strip()).evaluate()):
            continue
        count += 1
        try:
            installed = importlib.metadata.version(canonicalize_name(pinned[1]))
        except importlib.metadata.PackageNotFoundError:
            installed = "missing"
        if installed != pinned[2]:
            differing.append(f"{pinned[1]} {installed} instead of {pinned[2]}")
    if differing:
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        return Check("packages", False, "; ".join(differing[:5]) + more, "run `make install`")
    return Check("packages", True, f"{count} as locked")


def check_time_zone() -> Check:
    """What the days of reports and schedules are counted in."""
    settings = get_settings()
    now = datetime.now(settings.zone)
    return Check("time zone", True, f"{settings.time_zone}, where it is {now:%Y-%m-%d %H:%M}")


def check_home() -> Check:
    """Whether the runtime folder can be written to by us."""
    home = get_settings().home
    existing = next(path for path in (home, *home.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            "home folder", False, f"{existing} cannot be written to", "set TILLHOUSE_HOME to another folder"
        )
    if home.exists() and home.stat().st_uid != os.geteuid():
        return Check(
            "home folder",
            False,
            f"{home} belongs to another user",
            "run as that user, or set TILLHOUSE_HOME to another folder",
        )
    return Check("home folder", True, str(home) if home.exists() else f"{home} (made at the first start)")


def check_secrets() -> Check:
    """Whether nobody else can read the passwords and the key of access tokens."""
    folder = secrets_folder(get_settings().home)
    files = sorted(folder.iterdir()) if folder.exists() else []
    open_ones = [
        path for path in (folder, *files) if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_ones:
        return Check("secrets", False, f"others can read {open_ones[0]}", f"run: chmod -R go-rwx {folder}")
    return Check("secrets", True, f"{len(files)} files, readable by their owner alone")


def check_disk() -> Check:
    """Whether there is room for data."""
    settings = get_settings()
    place = read_place(settings.home)
    folder = place.folder if place else settings.home
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    if free < _LEAST_FREE_GIGABYTES:
        return Check(
            "disk space", False, f"{free:.1f} GB free in {existing}", "make room, or move TILLHOUSE_HOME"
        )
    return Check("disk space", True, f"{free:,.0f} GB free in {existing}")


def check_ports() -> Check:
    """Which ports the services have, or would get."""
    settings = get_settings()
    running = read_state(settings.home)
    if running is not None:
        return Check("ports", True, f"in use by our own services: {running.api_url}, {running.dagster_url}")
    api = choose_port(settings.api_host, settings.api_port, 8000, "TILLHOUSE_API_PORT")
    dagster = choose_port(settings.dagster_host, settings.dagster_port, 3000, "TILLHOUSE_DAGSTER_PORT")
    return Check("ports", True, f"API {api}, Dagster {dagster}")


def check_postgres() -> Check:
    """Whether Postgres answers and has the tables of this version; or, if it is stopped, could start."""
    settings = get_settings()
    if _is_stopped(settings):
        programs = usable_programs(server_user())
        return Check("Postgres", True, f"embedded, stopped; its programs in {programs} work")
    with connect(database_urls(settings).owner, application_name="tillhouse-doctor") as connection:
        version = connection.info.server_version
        applied, newest = applied_revision(connection), newest_revision()
    found = f"version {version // 10_000}.{version % 10_000}, migration {applied}"
    if version < _OLDEST_POSTGRES:
        return Check("Postgres", False, found, "use Postgres 15 or newer")
    if applied != newest:
        return Check("Postgres", False, found, f"this version needs migration {newest}: run `tillhouse up`")
    return Check("Postgres", True, found)


def check_roles() -> Check:
    """Whether the roles of readers and of the service can connect, and can do no more than they should."""
    settings = get_settings()
    if _is_stopped(settings):
        return Check("roles", True, "not looked at while the database is stopped")
    urls = database_urls(settings)
    with connect(urls.reader, application_name="tillhouse-doctor") as connection:
        row = connection.execute(
            """
            select
                has_schema_privilege('core', 'usage') and has_schema_privilege('marts', 'usage'),
                has_schema_privilege('raw', 'usage') or has_schema_privilege('core', 'create'),
                current_setting('default_transaction_read_only') = 'on'
            """
        ).fetchone()
    if row != (True, False, True):
        return Check("roles", False, "the reader's rights are not as they should be", "run `tillhouse up`")
    with connect(urls.app, application_name="tillhouse-doctor") as connection:
        row = connection.execute(
            """
            select
                has_table_privilege('app.jobs', 'select')
                and has_table_privilege('app.jobs', 'insert')
                and has_table_privilege('app.jobs', 'update')
            """
        ).fetchone()
    if row != (True,):
        return Check("roles", False, "the service may not write its own tables", "run `tillhouse up`")
    return Check("roles", True, "reader and service connect, each with its own rights")


def _is_stopped(settings: Settings) -> bool:
    return settings.database_url is None and EmbeddedServer(settings.home).process() is None
