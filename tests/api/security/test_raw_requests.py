"""Bytes that are no honest request, sent to the very process that a user runs."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import httpx
import pytest

from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.test_serving import serving, stalled, wait_until_up
from tests.conftest import Warehouse

NOWHERE = {"TILLHOUSE_ACCOUNTS": "true", "TILLHOUSE_DAGSTER_URL": "http://127.0.0.1:1"}
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /api/v1/definitions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Server:
    """A server, and an admin's header in it."""

    address: str
    authorization: bytes
    accounts: Accounts

    def connection(self) -> socket.socket:
        host, port = self.address.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def answers(self, request: bytes) -> bytes:
        """What comes back until the server closes the connection; nothing when it breaks it off."""
        answer = b""
        # Who is cut off while it sends may not get to read why.
        with closing(self.connection()) as connection, suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        return answer

    def started(self) -> int:
        """How many requests came so far that they asked for a job."""
        with connect(self.accounts.urls.owner) as connection:
            row = connection.execute("select count(*) from app.jobs").fetchone()
        assert row is not None
        return int(row[0])

    def post(self, *headers: bytes, path: bytes = b"/refresh", body: bytes = b"") -> bytes:
        head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + self.authorization
        return head + b"".join(headers) + b"\r\n" + body


@pytest.fixture
def server(warehouse: Warehouse, accounts: Accounts, golden: int) -> Iterator[Server]:
    """A server with accounts, and without Dagster."""
    token = accounts.add("root", "admin")["Authorization"]
    with serving(warehouse, **NOWHERE) as (process, address):
        wait_until_up(process, address)
        yield Server(address, f"Authorization: {token}\r\n".encode(), accounts)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def test_a_request_whose_end_is_unclear_is_refused_and_nothing_after_it_is_read(server: Server) -> None:
    json = b"Content-Type: application/json\r\n"
    for name, request in {
        "two lengths": server.post(b"Content-Length: 4\r\nContent-Length: 5\r\n", body=b"{}   "),
        "a list of lengths": server.post(b"Content-Length: 2, 2\r\n", body=b"{}"),
        "a length below 0": server.post(b"Content-Length: -1\r\n", body=b"{}"),
        "a length with a sign": server.post(b"Content-Length: +2\r\n", body=b"{}"),
        "a length in hex": server.post(b"Content-Length: 0x2\r\n", body=b"{}"),
        "a length in words": server.post(b"Content-Length: two\r\n", body=b"{}"),
        "a coding that is none": server.post(json, b"Transfer-Encoding: xchunked\r\n", body=b"0\r\n\r\n"),
        "identity": server.post(json, b"Transfer-Encoding: identity\r\n", body=b"{}"),
        "a name with a blank": server.post(json, b"Transfer-Encoding : chunked\r\n", body=b"0\r\n\r\n"),
        "chunks of nonsense": server.post(json, CHUNKED, body=b"zz\r\n{}\r\n0\r\n\r\n"),
        "a chunk below 0": server.post(json, CHUNKED, body=b"-2\r\n{}\r\n0\r\n\r\n"),
        "a chunk that is longer": server.post(json, CHUNKED, body=b"1\r\n{}\r\n0\r\n\r\n"),
        "a chunk of gigabytes": server.post(json, CHUNKED, body=b"ffffffffffffffff1\r\n{}\r\n0\r\n\r\n"),
    }.items():
        answer = server.answers(request + SMUGGLED)
        assert answer == b"" or 400 <= status(answer) < 500 or status(answer) == 501, (name, answer)
        assert answer.count(b"HTTP/1.") <= 1, (name, answer)
        assert server.started() == 0, (name, answer)
    both = server.post(json, b"Content-Length: 4\r\n", CHUNKED, body=b"0\r\n\r\n" + SMUGGLED)
    assert server.answers(both).count(b"HTTP/1.") <= 1


def test_a_body_that_is_cut_short_is_no_body_and_starts_nothing(server: Server) -> None:
    json = b"Content-Type: application/json\r\n"
    for request in (
        server.post(json, b"Content-Length: 20\r\n"),
        server.post(json, b"Content-Length: 20\r\n", body=b"   "),
        server.post(json, b"Content-Length: 20\r\n", body=b"{}"),
        server.post(json, CHUNKED),
        server.post(json, CHUNKED, body=b"5\r\n"),
        server.post(json, CHUNKED, body=chunks(b"{}", end=b"")),
        server.post(json, CHUNKED, body=chunks(b" ", end=b"zz\r\n")),
        server.post(json, CHUNKED, body=chunks(b"{}", end=b"0\r\n")),
        server.post(
            b"Content-Type: text/csv\r\n",
            CHUNKED,
            path=b"/api/v1/imports",
            body=chunks(b"Order ID\n", end=b""),
        ),
    ):
        with closing(server.connection()) as connection:
            connection.sendall(request)
    assert httpx.get(f"{server.address}/healthz").status_code == 200
    assert server.started() == 0
    # The whole ones do what they say: they come as far as Dagster, which is away.
    for request in (
        server.post(json, b"Content-Length: 2\r\n", body=b"{}"),
        server.post(json, CHUNKED, body=chunks(b"{", b"}")),
    ):
        assert status(server.answers(request)) == 503
    assert server.started() == 2


def test_a_body_without_a_length_is_taken_up_to_the_limit(server: Server) -> None:
    blank = [b" " * 8192] * 9
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    for request in (
        server.post(b"Content-Type: application/json\r\n", CHUNKED, body=chunks(*blank)),
        server.post(
            b"Content-Type: application/json\r\n", CHUNKED, body=chunks(*blank, b'{"mode": "append"}')
        ),
        server.post(
            form,
            CHUNKED,
            path=b"/api/v1/auth/token",
            body=chunks(b"grant_type=password&x=", *[b"x" * 8192] * 9),
        ),
        server.post(
            form, CHUNKED, path=b"/api/v1/auth/revoke", body=chunks(b"token=x&x=", *[b"x" * 8192] * 9)
        ),
    ):
        answer = server.answers(request)
        assert answer == b"" or (status(answer) == 413 and b"body_too_large" in answer), answer
    assert server.started() == 0


DISHONEST = (
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost : localhost\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n Host: localhost\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 100_000 + b"\r\n",
    b"GET /healthz?" + b"x" * 500_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /%ff%fe%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET  HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: \xff\r\nConnection: close\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\0" * 5000,
)


def test_what_is_no_honest_request_is_refused(server: Server) -> None:
    for request in DISHONEST:
        answer = server.answers(request)
        assert answer == b"" or 400 <= status(answer) < 500 or status(answer) in (501, 505), (
            request[:80],
            answer,
        )
        assert b"Traceback" not in answer
    assert httpx.get(f"{server.address}/healthz").status_code == 200


def test_what_is_odd_but_honest_is_answered(server: Server) -> None:
    for head in (
        b"X-Request-Id: \xff\xfe\r\n",
        b"Accept: \xff\r\n",
        b"If-None-Match: \xff\r\n",
        b"Cookie: \xff=\xfe\r\n",
    ):
        request = (
            b"GET /api/v1/revenue/total HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + server.authorization
        )
        assert status(server.answers(request + head + b"\r\n")) in (200, 406)
    for path in (
        b"/api/v1/orders/%E2%82%AC?format=csv",
        b"/api/v1/orders/%C3%85?format=csv",
        b"/api/v1/orders/%0d?format=csv",
    ):
        request = (
            b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + server.authorization
        )
        assert status(server.answers(request + b"\r\n")) in (200, 404), path


def test_callers_that_say_nothing_keep_nobody_out(server: Server) -> None:
    for head in (b"", b"GET /healthz HTTP/1.1\r\n"):
        with stalled(server.address, 300, head):
            assert httpx.get(f"{server.address}/healthz", timeout=20).status_code == 200
