"""Start services, watch them, start again what dies, stop all of them."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.supervisor.errors import SupervisorError
from pipeline.supervisor.processes import Janitor, end_groups, last_lines, start_process, trim_log
from pipeline.supervisor.reporter import Reporter
from pipeline.supervisor.state import ServiceState, SupervisorState, write_state

_TICK_SECONDS = 0.1
_UPKEEP_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_STABLE_SECONDS = 60.0
# A service that never was ready and dies this often will not become ready by itself.
_TRIES_AT_START = 3


@dataclass(frozen=True)
class Service:
    """A program to keep running.

    Attributes:
        name: what users call it; its log is `HOME/logs/<name>.log`.
        command: the program and its arguments.
        is_ready: asked after the start until it says yes; gets the time of the start (Unix).
        url: what users open, if anything.
        starts_after_recovery: started only when `recover` has run.
        recovers_on_death: `recover` runs again each time this service has died.
    """

    name: str
    command: Sequence[str]
    is_ready: Callable[[float], bool]
    url: str | None = None
    starts_after_recovery: bool = False
    recovers_on_death: bool = False


@dataclass(frozen=True)
class Plan:
    """What one supervisor does.

    Attributes:
        home: the runtime folder.
        services: what to keep running.
        environment: the children's.
        folder: the children's working folder.
        recover: a command that cleans up after a crash: at the start, and after the death of a
            service that asks for it.
        greeting: lines said when everything is ready for the first time.
        introduce: a command run once after that; its lines are shown.
        upkeep: called every second, for instance to start the database again.
        grace_seconds: how long services have to end by themselves when they are stopped.
        api_url: announced, and kept in services.json.
        dagster_url: likewise.
    """

    home: Path
    services: Sequence[Service]
    environment: Mapping[str, str]
    folder: Path
    recover: Sequence[str] | None = None
    greeting: Sequence[str] = ()
    introduce: Sequence[str] | None = None
    upkeep: Callable[[], None] = lambda: None
    grace_seconds: float = 10.0
    api_url: str | None = None
    dagster_url: str | None = None


@dataclass
class _Child:
    service: Service
    log: Path
    process: "subprocess.Popen[str] | None" = None
    started_at: float = 0.0
    was_ready: bool = False
    is_ready: bool = False
    deaths: int = 0
    failures: int = 0
    next_start: float = field(default=0.0)

    def state(self) -> ServiceState:
        if self.is_ready:
            status = "ready"
        elif self.process is not None:
            status = "starting"
        else:
            status = "restarting" if self.deaths else "waiting"
        return ServiceState.model_validate(
            {
                "name": self.service.name,
                "status": status,
                "pid": self.process.pid if self.process else None,
                "url": self.service.url,
                "log": str(self.log),
                "restarts": self.deaths,
            }
        )


class Supervisor:
    """Keeps a plan's services running until it is told to stop."""

    def __init__(self, plan: Plan, state: SupervisorState, reporter: Reporter, stop: threading.Event) -> None:
        self._plan = plan
        self._state = state.model_copy(update={"api_url": plan.api_url, "dagster_url": plan.dagster_url})
        self._reporter = reporter
        self._stop = stop
        self._logs = plan.home / "logs"
        self._children = [_Child(service, self._logs / f"{service.name}.log") for service in plan.services]
        self._janitor = Janitor()
        self._introduction: subprocess.Popen[str] | None = None
        self._said = b""
        self._next_upkeep = 0.0
        self._written: SupervisorState | None = None

    def run(self) -> None:
        """Start everything and watch it until the stop event is set; then stop everything.

        Raises:
            SupervisorError: a service dies at its start again and again.
        """
        try:
            if self._plan.recover is not None:
                self._start_due(only_before_recovery=True)
                self._publish_state()
                self._recover()
            while not self._stop.is_set():
                self._tick()
                self._stop.wait(_TICK_SECONDS)
        finally:
            self._end_all()

    def _tick(self) -> None:
        for child in self._children:
            self._look_after(child)
        self._start_due()
        if time.monotonic() >= self._next_upkeep:
            self._next_upkeep = time.monotonic() + _UPKEEP_SECONDS
            self._plan.upkeep()
            for child in self._children:
                trim_log(child.log)
        if self._state.status == "starting" and all(child.is_ready for child in self._children):
            self._state = self._state.model_copy(update={"status": "ready"})
            self._publish_state()
            self._introduce()
        self._pass_on()
        self._publish_state()

    def _look_after(self, child: _Child) -> None:
        if child.process is None:
            return
        code = child.process.poll()
        if code is not None:
            self._bury(child, code)
        elif not child.is_ready and child.service.is_ready(child.started_at):
            child.is_ready = child.was_ready = True
        elif child.is_ready and time.time() - child.started_at > _STABLE_SECONDS:
            child.failures = 0

    def _bury(self, child: _Child, code: int) -> None:
        """End what a dead service left behind, and set the time of its next start."""
        assert child.process is not None
        group = child.process.pid
        # Its workers live on in its group: nobody answers for them any more.
        end_groups([group], grace_seconds=0)
        self._janitor.forget(group)
        child.process = None
        child.is_ready = False
        child.deaths += 1
        child.failures += 1
        if not child.was_ready and child.failures >= _TRIES_AT_START:
            raise SupervisorError(
                f"{child.service.name} does not start (exit code {code}); the end of its log {child.log}:\n"
                f"{last_lines(child.log)}"
            )
        pause = min(0.5 * 2 ** (child.failures - 1), _LONGEST_PAUSE_SECONDS)
        child.next_start = time.monotonic() + pause
        self._reporter.say(
            f"{child.service.name} ended unexpectedly ({_how(code)}); starting it again in {pause:g} s. "
            f"Its log: {child.log}"
        )
        if child.service.recovers_on_death:
            self._publish_state()
            self._recover()

    def _start_due(self, *, only_before_recovery: bool = False) -> None:
        for child in self._children:
            if child.process is not None or time.monotonic() < child.next_start:
                continue
            if only_before_recovery and child.service.starts_after_recovery:
                continue
            child.process = self._start(child.service.command, child.log)
            child.started_at = time.time()

    def _start(self, command: Sequence[str], log: Path | None) -> "subprocess.Popen[str]":
        process = start_process(command, self._plan.environment, folder=self._plan.folder, log=log)
        self._janitor.watch(process.pid)
        return process

    def _recover(self) -> None:
        """Run the recovery command to its end, or until we are to stop."""
        if self._plan.recover is None:
            return
        log = self._logs / "recovery.log"
        process = self._start(self._plan.recover, log)
        while process.poll() is None and not self._stop.is_set():
            self._stop.wait(_TICK_SECONDS)
        end_groups([process.pid], grace_seconds=1)
        self._janitor.forget(process.pid)
        if process.poll() != 0 and not self._stop.is_set():
            self._reporter.say(f"Closing the runs of a crash did not work; see {log}")

    def _introduce(self) -> None:
        for line in self._plan.greeting:
            self._reporter.say(line)
        if self._plan.introduce is None:
            self._state = self._state.model_copy(update={"is_announced": True})
            return
        self._introduction = self._start(self._plan.introduce, None)
        assert self._introduction.stdout is not None
        os.set_blocking(self._introduction.stdout.fileno(), False)

    def _pass_on(self) -> None:
        """Pass on what the introduction has said so far."""
        process = self._introduction
        if process is None:
            return
        assert process.stdout is not None
        code = process.poll()
        with contextlib.suppress(BlockingIOError):
            while part := os.read(process.stdout.fileno(), 65_536):
                self._said += part
        *lines, self._said = self._said.split(b"\n")
        for line in lines:
            self._reporter.say(line.decode("utf-8", errors="replace"))
        if code is not None:
            self._introduction = None
            self._janitor.forget(process.pid)
            process.stdout.close()
            self._state = self._state.model_copy(update={"is_announced": True})

    def _publish_state(self) -> None:
        services = [child.state() for child in self._children]
        self._reporter.show(services)
        state = self._state.model_copy(update={"services": services})
        if state != self._written:
            write_state(self._plan.home, state)
            self._written = state

    def _end_all(self) -> None:
        self._state = self._state.model_copy(update={"status": "stopping"})
        if self._stop.is_set():
            self._reporter.say("Stopping ...")
        processes = [child.process for child in self._children if child.process is not None]
        if self._introduction is not None:
            processes.append(self._introduction)
        # In reverse: who starts work goes before who does it.
        end_groups([process.pid for process in reversed(processes)], grace_seconds=self._plan.grace_seconds)
        for process in processes:
            process.wait()
            self._janitor.forget(process.pid)
        self._janitor.close()
        self._reporter.close()


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"


__all__ = ["Plan", "Service", "Supervisor"]
