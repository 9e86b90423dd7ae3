"""Servers in processes of their own, on a warehouse that is measured."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Requests of one caller are what is measured.
_NO_LIMIT = {"TILLHOUSE_RATE_LIMIT": "100000000/minute"}


@dataclass(frozen=True)
class Server:
    """Where a server listens, and its process."""

    port: int
    pid: int

    @property
    def peak_bytes(self) -> int:
        """The most memory that the process has had at once; Linux tells."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        return int(kilobytes) * 1024


_START_SECONDS = 60


@contextmanager
def running(module: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a server (``api``, ``benchmarks.one_select``) on a warehouse."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        env={**os.environ, **environment, **_NO_LIMIT, "TILLHOUSE_API_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(_START_SECONDS * 20):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port} after {_START_SECONDS} s")
