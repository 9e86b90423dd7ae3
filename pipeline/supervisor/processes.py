"""Child processes: each in a session of its own, none of which outlives the supervisor."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

_LOG_BYTES = 20_000_000
_PR_SET_PDEATHSIG = 1


class Janitor:
    """The helper process that ends the groups of a supervisor that was killed."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("janitor.py")
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            bufsize=1,
        )

    def watch(self, group: int) -> None:
        """End this group when the supervisor is gone."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """This group has ended."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let the helper do its work, if any is left, and end."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(line)


def start_process(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path,
    log: Path | None,
) -> "subprocess.Popen[str]":
    """Start a child that gets SIGTERM when this thread's process dies.

    Args:
        command: the program and its arguments.
        environment: the whole of it.
        folder: its working folder.
        log: the file its output is appended to; None: a pipe of text lines.
    """
    if log is not None:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        trim_log(log)
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log is not None else subprocess.PIPE
        return subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),
            text=True,
        )


def trim_log(log: Path) -> None:
    """Move a log that grew large aside (to `.1`), while its writer goes on appending."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode("utf-8", errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def end_groups(groups: Iterable[int], *, grace_seconds: float) -> None:
    """End process groups: ask, wait until their last members are gone, then kill the rest."""
    left = set(groups)
    _signal_groups(left, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while left and time.monotonic() < deadline:
        left = live_groups(left)
        if left:
            time.sleep(0.05)
    _signal_groups(left, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while left and time.monotonic() < deadline:
        left = live_groups(left)
        time.sleep(0.05)


def live_groups(groups: set[int]) -> set[int]:
    """Those of the groups that have a live member (a zombie is none)."""
    live: set[int] = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            group = os.getpgid(process.pid)
            if group in groups and process.status() != psutil.STATUS_ZOMBIE:
                live.add(group)
    return live


def _signal_groups(groups: Iterable[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _die_with_parent() -> Callable[[], None] | None:
    """What a child runs before its program, where the system can do it (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
