"""``python -m benchmarks.asking``: asks a server as fast as it answers, from a process of its own.

It reads what to ask as JSON from its input and writes what it measured as JSON. Few connections are
kept alive, each with one request under way. Plain sockets: an HTTP library would take as long as the
server that is measured.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

CONNECTIONS = 8
_END_OF_HEAD = b"\r\n\r\n"
_LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Asked:
    """How long each request took, and all of them together, in seconds; the statuses that came back."""

    latencies: tuple[float, ...]
    seconds: float
    statuses: frozenset[int]

    def quantile(self, share: float) -> float:
        """The latency that this share of the requests did not exceed, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.latencies) / self.seconds


def ask(
    port: int, paths: Sequence[str], *, headers: Sequence[str] = (), connections: int = CONNECTIONS
) -> Asked:
    """Ask for every path once, in a process of its own, over a few connections at a time."""
    question = {"port": port, "paths": list(paths), "headers": list(headers), "connections": connections}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.asking"],
        input=json.dumps(question).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(done.stdout)
    return Asked(tuple(found["latencies"]), found["seconds"], frozenset(found["statuses"]))


class _Connection:
    """One kept connection: what was sent last, and how much of its answer is still to come."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._received = b""
        self._expected = 0

    def send(self, request: bytes) -> None:
        self._received, self._expected = b"", 0
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Take what has come; the status once the answer is complete."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._received += piece
        if not self._expected:
            head, end, _ = self._received.partition(_END_OF_HEAD)
            if not end:
                return None
            self._expected = len(head) + len(end) + _body_bytes(head)
        return int(self._received[9:12]) if len(self._received) >= self._expected else None


def _body_bytes(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


def _run(port: int, requests: Sequence[bytes], connections: int) -> Asked:
    rest = iter(requests)
    latencies: list[float] = []
    statuses: set[int] = set()
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for request in islice(rest, connections):
            connection = _Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
        while len(latencies) < len(requests):
            ready = selector.select(_LONGEST_SECONDS)
            if not ready:
                raise TimeoutError("the server does not answer")
            for key, _ in ready:
                connection = key.data
                status = connection.receive()
                if status is None:
                    continue
                latencies.append(time.perf_counter() - connection.began)
                statuses.add(status)
                following = next(rest, None)
                if following is not None:
                    connection.send(following)
        seconds = time.perf_counter() - began
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return Asked(tuple(latencies), seconds, frozenset(statuses))


def main() -> None:
    """Answer the question on the input."""
    asked = json.load(sys.stdin)
    head = "".join(f"{line}\r\n" for line in ("Host: localhost", *asked["headers"]))
    requests = [f"GET {path} HTTP/1.1\r\n{head}\r\n".encode() for path in asked["paths"]]
    found = _run(asked["port"], requests, asked["connections"])
    json.dump(
        {"latencies": found.latencies, "seconds": found.seconds, "statuses": sorted(found.statuses)},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
