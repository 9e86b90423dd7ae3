"""`up` in the foreground and in the background, and `down`."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import psutil

from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.supervisor.errors import SupervisorError
from pipeline.supervisor.reporter import Reporter
from pipeline.supervisor.services import plan_services
from pipeline.supervisor.state import (
    SupervisorState,
    own_state,
    read_state,
    supervisor_lock,
    supervisor_process,
)
from pipeline.supervisor.supervise import Plan, Supervisor
from pipeline.warehouse.connect import DatabaseUrls
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.place import make_home
from pipeline.warehouse.prepare import ensure_warehouse

_START_SECONDS = 600
_STOP_SECONDS = 90

# What makes the plan: replaced by tests, which supervise small programs.
Planner = Callable[[Settings, DatabaseUrls, Callable[[], None]], Plan]


def run_foreground(
    settings: Settings, reporter: Reporter, *, no_sample: bool = False, planner: Planner | None = None
) -> None:
    """Start everything and stay until a signal comes; then stop everything, the database included.

    Raises:
        AlreadyRunning: another supervisor works for this home.
        SupervisorError: a service does not start.
        WarehouseError: the database does not start.
    """
    make_home(settings.home)
    try:
        with supervisor_lock(settings.home), _stop_event() as stop:
            server = EmbeddedServer(settings.home, reporter.say) if settings.database_url is None else None
            try:
                urls = ensure_warehouse(settings, reporter.say)
                if stop.is_set():
                    return
                upkeep = _keep_running(server, reporter)
                if planner is None:
                    plan = plan_services(settings, urls, no_sample=no_sample, upkeep=upkeep)
                else:
                    plan = planner(settings, urls, upkeep)
                Supervisor(plan, own_state(), reporter, stop).run()
            finally:
                if server is not None:
                    server.stop()
    finally:
        reporter.close()


def run_detached(settings: Settings, say: Callable[[str], None], *, no_sample: bool = False) -> None:
    """Start a supervisor in the background; return when it is ready and has given its first answer.

    Raises:
        SupervisorError: it ends before that, or takes too long.
    """
    make_home(settings.home)
    log = settings.home / "logs" / "up.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pipeline.cli", "up", *(["--no-sample"] if no_sample else [])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _follow(settings.home, process, log, say)
    except BaseException:
        # Nobody waits for it any more: it ends as by Ctrl-C.
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        process.wait()
        raise


def stop_running(settings: Settings) -> bool:
    """Stop the running supervisor and wait until it is gone; or what a killed one left of the database.

    Returns:
        Whether anything ran.

    Raises:
        SupervisorError: it does not stop.
    """
    state = read_state(settings.home)
    process = supervisor_process(state) if state else None
    if process is None:
        return _stop_database(settings)
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired:
        raise SupervisorError(
            f"the supervisor (process {process.pid}) has not stopped after {_STOP_SECONDS} s; "
            f"its logs are in {settings.home / 'logs'}"
        ) from None
    return True


def describe_running(state: SupervisorState) -> str:
    """A sentence for who starts what runs already."""
    where = "It is starting."
    if state.api_url is not None:
        where = f"Dashboard: {state.api_url}   API: {state.api_url}/docs   Runs: {state.dagster_url}"
    return f"Tillhouse is running already (process {state.pid}). {where}\nStop it with `tillhouse down`."


def _keep_running(server: EmbeddedServer | None, reporter: Reporter) -> Callable[[], None]:
    def look() -> None:
        if server is None or server.process() is not None:
            return
        reporter.say("The database ended unexpectedly; starting it again.")
        try:
            server.start()
        except WarehouseError as error:
            reporter.say(str(error))

    return look


def _stop_database(settings: Settings) -> bool:
    server = EmbeddedServer(settings.home)
    if settings.database_url is not None or server.process() is None:
        return False
    server.stop()
    return True


def _follow(home: Path, process: "subprocess.Popen[bytes]", log: Path, say: Callable[[str], None]) -> None:
    """Pass on the lines of the log until the first answer is given."""
    deadline = time.monotonic() + _START_SECONDS
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            state = read_state(home)
            is_done = state is not None and state.pid == process.pid and state.is_announced
            code = process.poll()
            for line in lines:
                say(line.rstrip("\n"))
            if is_done:
                say(f"Running in the background (process {process.pid}); stop it with `tillhouse down`.")
                return
            if code is not None:
                raise SupervisorError(f"it ended before it was ready (exit code {code}); see above and {log}")
            if time.monotonic() > deadline:
                raise SupervisorError(f"it was not ready after {_START_SECONDS} s; see {home / 'logs'}")
            time.sleep(0.1)


@contextlib.contextmanager
def _stop_event() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, SIGTERM and the end of the terminal.

    A second signal, more than a second later, interrupts whatever is being waited for.
    """
    event = threading.Event()
    first: list[float] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        event.set()
        if not first:
            first.append(time.monotonic())
        elif time.monotonic() - first[0] > 1:
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = [
    "Planner",
    "describe_running",
    "run_detached",
    "run_foreground",
    "stop_running",
]
