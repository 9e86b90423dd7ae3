"""Which process, if any, serves a data folder; what a killed one left; and which ports are free."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipeline.warehouse.place import Place

_PORTS = range(54320, 54420)


def pid_file(place: Place) -> list[str]:
    """The lines of the pid file; none when there is no such file."""
    try:
        return (place.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def port_in_use(place: Place) -> int | None:
    """The port that the server of the pid file has opened."""
    lines = pid_file(place)
    return int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else None


def postmaster(place: Place) -> psutil.Process | None:
    """The live process of the pid file, if it is a Postgres that was started on this folder."""
    lines = pid_file(place)
    try:
        process = psutil.Process(abs(int(lines[0])))
        arguments = process.cmdline()
        if process.status() == psutil.STATUS_ZOMBIE or "-D" not in arguments[:-1]:
            return None
    except (IndexError, ValueError, psutil.Error):
        return None
    folder = Path(arguments[arguments.index("-D") + 1])
    return process if folder.resolve() == place.data.resolve() else None


def is_ready(place: Place) -> bool:
    """Whether a live server of this folder takes connections: before and after, its port may be another's."""
    lines = pid_file(place)
    return len(lines) > 7 and lines[7].strip() == "ready" and postmaster(place) is not None


def clear_stale_pid(place: Place) -> None:
    """Remove a pid file that names a process which is not a server of this folder.

    Postgres itself clears one whose pid is free, but takes any process under a reused pid for
    its predecessor. Called with our lock held and no server running here.
    """
    lines = pid_file(place)
    if not lines or not lines[0].lstrip("-").isdigit() or postmaster(place) is not None:
        return
    if psutil.pid_exists(abs(int(lines[0]))):
        (place.data / "postmaster.pid").unlink(missing_ok=True)


def end_orphans(place: Place) -> None:
    """End what a killed server left behind: its backends work on until they notice."""
    if not pid_file(place) or postmaster(place) is not None:
        return
    data = place.data.resolve()
    orphans = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()).resolve() == data:
                process.kill()
                orphans.append(process)
    psutil.wait_procs(orphans, timeout=10)


def ports_to_try(recorded: int | None) -> Iterator[int]:
    """Free ports, the recorded one first."""
    wanted = [recorded] if recorded else []
    tried = 0
    for port in [*wanted, *_PORTS]:
        if tried < 10 and _is_free(port):
            tried += 1
            yield port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
