"""Ends the services' process groups when their supervisor died without doing so.

A program of its own, started by the supervisor with a pipe as its input. It reads lines `+GROUP`
and `-GROUP`; when the pipe ends, the supervisor is gone, and whatever group is still listed is
ended: first asked to, then killed. Needs the standard library alone, to stay small.
"""

import contextlib
import os
import signal
import sys
import time

_GRACE_SECONDS = 5.0


def main() -> None:
    """Read groups until the pipe ends, then end those that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    _signal_all(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(_exists(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    _signal_all(groups, signal.SIGKILL)


def _signal_all(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
