"""``python -m api``: the very process that a user runs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
import pytest

from tests.conftest import Warehouse


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(
    warehouse: Warehouse, program: Sequence[str] = ("-m", "api"), **changed: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    environment = os.environ | warehouse.environment | {"TILLHOUSE_API_PORT": str(port)} | changed
    process = subprocess.Popen(
        [sys.executable, *program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_until_up(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            httpx.get(f"{address}/healthz", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the API did not answer")


@pytest.mark.usefixtures("golden")
def test_it_serves_until_told_to_stop(warehouse: Warehouse) -> None:
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        answer = httpx.get(f"{address}/api/v1/revenue/total").json()
        assert answer["data"]["net_revenue"] == "4712.5675"
        assert httpx.get(f"{address}/readyz", headers={"Host": "evil.example"}).status_code == 403
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@contextmanager
def stalled(address: str, count: int, request: bytes) -> Iterator[list[socket.socket]]:
    """Connections that sent this much and wait."""
    host, port = address.removeprefix("http://").split(":")
    waiting = [socket.create_connection((host, int(port))) for _ in range(count)]
    try:
        for connection in waiting:
            connection.sendall(request)
        yield waiting
    finally:
        for connection in waiting:
            connection.close()


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /refresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        b"POST /api/v1/imports?filename=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
        b"Content-Length: 1000000\r\n\r\nOrder",
        b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /api/v1/revenue/total HTTP/1.1\r\nHost: loc",
    ],
)
def test_requests_that_never_end_hold_up_nobody(warehouse: Warehouse, request_head: bytes) -> None:
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        with stalled(address, 40, request_head):
            assert httpx.get(f"{address}/api/v1/revenue/total", timeout=10).status_code == 200
            token = httpx.post(f"{address}/api/v1/auth/token", data={"grant_type": "x"}, timeout=10)
            assert token.status_code in (400, 409)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_an_upload_that_breaks_off_is_none(warehouse: Warehouse) -> None:
    head = b"POST /api/v1/imports?filename=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
    bodies = (
        b"Content-Length: 1000000\r\n\r\nOrder",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nOrder\r\n9\r\n",
    )
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        for body in bodies:
            with stalled(address, 5, head + body) as connections:
                for connection in connections:
                    connection.shutdown(socket.SHUT_WR)
                    assert not connection.makefile("rb").read().startswith(b"HTTP/1.1 2")
        found = httpx.get(f"{address}/api/v1/imports").json()
    assert found["data"] == []
    assert not warehouse.settings.uploads_folder.exists()


@pytest.mark.usefixtures("many_lines")
def test_files_that_nobody_reads_hold_up_nobody(warehouse: Warehouse) -> None:
    head = b"GET /api/v1/orders?format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        with stalled(address, 20, head * 20):
            for _ in range(20):
                assert httpx.get(f"{address}/api/v1/revenue/total", timeout=10).status_code == 200


# The server of `python -m api`, over a database that fails in the middle of a file.
FAILING = """
import sys
from pipeline.answers import exporting, streaming
from api.__main__ import main

exporting.CHUNK_ROWS = 100

def breaking(whole):
    def broken(*arguments):
        for number, row in enumerate(whole(*arguments)):
            if number == 350:
                raise RuntimeError("the database went away")
            yield row

    return broken

# Files are made of rows, or of what Postgres copies.
streaming.Streamed.__iter__ = breaking(streaming.Streamed.__iter__)
streaming.Streamed.copied = breaking(streaming.Streamed.copied)
sys.exit(main())
"""


@pytest.mark.usefixtures("many_lines")
def test_a_file_that_breaks_off_does_not_look_complete(warehouse: Warehouse) -> None:
    with serving(warehouse, program=["-c", FAILING]) as (process, address):
        wait_until_up(process, address)
        for format in ("csv", "arrow"):
            with httpx.stream("GET", f"{address}/api/v1/orders?format={format}", timeout=60) as response:
                assert response.status_code == 200
                with pytest.raises(httpx.RemoteProtocolError):
                    response.read()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/refresh", 413, "body_too_large"), ("/api/v1/imports?filename=a.csv", 413, "body_too_large")],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    warehouse: Warehouse, path: str, status: int, code: str
) -> None:
    with serving(warehouse, TILLHOUSE_UPLOAD_LIMIT_MB="1") as (process, address):
        wait_until_up(process, address)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000000\r\n\r\n".encode()
        with stalled(address, 1, head) as [connection]:
            answer = connection.makefile("rb").read()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"application/problem+json" in answer
        assert f'"code": "{code}"'.encode() in answer


def test_beyond_loopback_it_does_not_start_without_a_key_for_tokens(warehouse: Warehouse) -> None:
    with serving(warehouse, TILLHOUSE_API_HOST="0.0.0.0") as (process, _):
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 2
        assert b"has no key for their tokens yet: run `tillhouse up`" in output
        assert b"Traceback" not in output
