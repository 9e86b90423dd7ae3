"""The supervisor, on small programs: nothing outlives it, and what dies comes back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.supervisor.run import describe_running, stop_running
from pipeline.supervisor.state import SupervisorState, read_state, write_state
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.embedded import EmbeddedServer

T = TypeVar("T")


@contextmanager
def started(home: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.supervisor.fake_up", *arguments],
        env={**os.environ, "TILLHOUSE_HOME": str(home)},
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(look: Callable[[], T | None], seconds: float = 120) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("did not happen")


def announced(home: Path) -> SupervisorState:
    def look() -> SupervisorState | None:
        state = read_state(home)
        return state if state and state.is_announced else None

    return wait_for(look)


def family(state: SupervisorState, home: Path) -> list[psutil.Process]:
    """Every process of the supervisor, their grandchildren included."""
    supervisor = psutil.Process(state.pid)
    grandchildren = [psutil.Process(int(file.read_text())) for file in home.glob("*.grandchild")]
    return [supervisor, *supervisor.children(recursive=True), *grandchildren]


def live(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_of_it_and_leaves_no_process(home: Path, number: signal.Signals) -> None:
    with started(home) as process:
        processes = family(announced(home), home)
        postmaster = EmbeddedServer(home).process()
        assert postmaster is not None
        # Supervisor, janitor, two services and their two grandchildren.
        assert len(set(processes)) == 6
        process.send_signal(number)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert live([*processes, postmaster]) == []
        assert read_state(home) is None
        assert output.splitlines() == [
            "code-location: starting",
            "code-location: ready",
            "daemon: starting",
            "daemon: ready",
            "ready to greet",
            "Europe 1299.00",
            "Asia 2777.97",
            "Stopping ...",
        ]


def test_a_service_that_ignores_the_request_is_killed(home: Path) -> None:
    with started(home, "stubborn") as process:
        processes = family(announced(home), home)
        process.terminate()
        process.communicate(timeout=120)
        assert live(processes) == []


def test_when_the_supervisor_is_killed_its_services_end_and_the_next_one_starts(home: Path) -> None:
    with started(home, "stubborn") as process:
        state = announced(home)
        processes = family(state, home)
        process.kill()
        process.wait()
        assert read_state(home) is None
        wait_for(lambda: live(processes) == [])
    with started(home) as process:
        assert announced(home).pid == process.pid
        process.terminate()
        process.communicate(timeout=120)


def test_after_a_killed_supervisor_down_stops_the_database_it_left(home: Path) -> None:
    with started(home) as process:
        announced(home)
        process.kill()
        process.wait()
    assert EmbeddedServer(home).is_running()
    assert stop_running(Settings(home=home)) is True
    assert EmbeddedServer(home).process() is None
    assert stop_running(Settings(home=home)) is False


def test_a_killed_service_comes_back_after_its_workers_were_ended_and_recovery_ran(home: Path) -> None:
    with started(home) as process:
        before = announced(home)
        assert (home / "recoveries").read_text() == "recovered\n"
        code = next(service for service in before.services if service.name == "code-location")
        daemon = next(service for service in before.services if service.name == "daemon")
        worker = psutil.Process(int((home / "code-location.grandchild").read_text()))
        assert code.pid is not None
        os.kill(code.pid, signal.SIGKILL)

        def back() -> SupervisorState | None:
            state = read_state(home)
            assert state is not None
            now = next(service for service in state.services if service.name == "code-location")
            return state if now.status == "ready" and now.restarts == 1 and now.pid != code.pid else None

        after = wait_for(back)
        assert live([worker]) == []
        assert (home / "recoveries").read_text() == "recovered\nrecovered\n"
        assert next(s for s in after.services if s.name == "daemon").pid == daemon.pid
        process.terminate()
        output, _ = process.communicate(timeout=120)
        assert "code-location ended unexpectedly (killed by signal 9); starting it again in 0.5 s." in output


def test_a_killed_database_is_started_again(home: Path) -> None:
    with started(home) as process:
        announced(home)
        postmaster = EmbeddedServer(home).process()
        assert postmaster is not None
        postmaster.kill()
        wait_for(lambda: (now := EmbeddedServer(home).process()) is not None and now != postmaster)
        wait_for(EmbeddedServer(home).is_running)
        with connect(database_urls(Settings(home=home)).owner) as connection:
            assert connection.execute("select count(*) from core.builds").fetchone() == (0,)
        process.terminate()
        output, _ = process.communicate(timeout=120)
        assert "The database ended unexpectedly; starting it again." in output


def test_a_service_that_cannot_start_ends_all_of_it_and_the_error_says_why(home: Path) -> None:
    with started(home, "broken") as process:
        output, _ = process.communicate(timeout=120)
        assert process.returncode != 0
        assert "broken does not start (exit code 3)" in output
        assert "the reason\nthe reason\nthe reason" in output
        assert EmbeddedServer(home).process() is None
        assert read_state(home) is None


def test_a_second_one_for_the_same_home_is_refused_and_disturbs_nothing(home: Path) -> None:
    with started(home) as process:
        state = announced(home)
        second = subprocess.run(
            [sys.executable, "-m", "tests.pipeline.supervisor.fake_up"],
            env={**os.environ, "TILLHOUSE_HOME": str(home)},
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert second.returncode != 0
        assert f"another `tillhouse up` is at work for {home}" in second.stderr
        assert read_state(home) == state
        assert EmbeddedServer(home).is_running()
        up = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "up"],
            env={**os.environ, "TILLHOUSE_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (up.returncode, up.stdout) == (0, describe_running(state) + "\n")
        assert "http://127.0.0.1/api/docs" in up.stdout
        assert stop_running(Settings(home=home)) is True
        assert process.wait(120) == 0


def test_the_state_that_a_killed_supervisor_left_is_not_believed_when_its_pid_is_reused(home: Path) -> None:
    somebody = psutil.Process()
    write_state(home, SupervisorState(pid=somebody.pid, create_time=somebody.create_time() - 60))
    assert read_state(home) is None
    write_state(home, SupervisorState(pid=somebody.pid, create_time=somebody.create_time()))
    assert read_state(home) is not None
