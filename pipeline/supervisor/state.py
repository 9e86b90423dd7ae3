"""What is known about the running services: `HOME/services.json`, and the lock of their supervisor."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, ValidationError

from pipeline.supervisor.errors import SupervisorError

ServiceStatus = Literal["waiting", "starting", "ready", "restarting", "stopped"]


class ServiceState(BaseModel):
    """One service as its supervisor sees it."""

    name: str
    status: ServiceStatus
    pid: int | None = None
    url: str | None = None
    log: str
    restarts: int = 0


class SupervisorState(BaseModel):
    """The supervisor and its services.

    Attributes:
        pid: the supervisor's process.
        create_time: when that process began, so that a reused pid is not mistaken for it.
        status: `starting`, `ready` (every service answered), `stopping`.
        is_announced: the URLs and the first answer have been printed.
    """

    pid: int
    create_time: float
    status: Literal["starting", "ready", "stopping"] = "starting"
    is_announced: bool = False
    api_url: str | None = None
    dagster_url: str | None = None
    services: list[ServiceState] = []


class AlreadyRunning(SupervisorError):
    """Another supervisor works for this home."""


def own_state() -> SupervisorState:
    """A state that names this process."""
    return SupervisorState(pid=os.getpid(), create_time=psutil.Process().create_time())


def write_state(home: Path, state: SupervisorState) -> None:
    """Write the state, whole or not at all."""
    draft = home / ".services.json"
    draft.write_text(state.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(home / "services.json")


def read_state(home: Path) -> SupervisorState | None:
    """The state of the running supervisor; None when none runs, whatever a killed one left."""
    try:
        content: Any = json.loads((home / "services.json").read_text(encoding="utf-8"))
        state = SupervisorState.model_validate(content)
    except (OSError, ValueError, ValidationError):
        return None
    return state if supervisor_process(state) is not None else None


def supervisor_process(state: SupervisorState) -> psutil.Process | None:
    """The supervisor's live process, or None."""
    try:
        process = psutil.Process(state.pid)
        is_same = abs(process.create_time() - state.create_time) < 1
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


@contextlib.contextmanager
def supervisor_lock(home: Path) -> Iterator[None]:
    """Be the one supervisor of this home for the time of the block.

    The lock belongs to the open file, so it ends with the process, however that ends.

    Raises:
        AlreadyRunning: another process holds it.
    """
    with (home / "supervisor.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"another `tillhouse up` is at work for {home}") from error
        write_state(home, own_state())
        try:
            yield
        finally:
            (home / "services.json").unlink(missing_ok=True)
