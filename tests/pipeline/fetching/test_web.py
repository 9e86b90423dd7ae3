"""Files come from allowed hosts alone, within limits; credentials are told to nobody else."""

import base64
import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pipeline.fetching.network import is_public
from tests.pipeline.fetching.fetched_files import contents, refusal, spooled
from tests.pipeline.fetching.web_server import WebServer, file_of, redirect_to, status

DATA = b"Order ID,Product ID\n1,P\n"


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_a_file_is_fetched_and_called_by_its_address_without_secrets(tmp_path: Path, web: WebServer) -> None:
    web.answers["/sales.csv?token=secret"] = file_of(DATA)
    address = web.address("/sales.csv?token=secret#part", userinfo="me:p%40ss@")
    assert contents(tmp_path, address) == {web.address("/sales.csv"): DATA}
    ((path, headers),) = web.requests
    assert path == "/sales.csv?token=secret"
    assert headers["Host"] == f"127.0.0.1:{web.port}"
    assert headers["Authorization"] == basic("me", "p@ss")


def test_a_host_that_is_not_listed_is_not_asked(tmp_path: Path, web: WebServer) -> None:
    told = refusal(tmp_path, web.address("/sales.csv?token=secret"), fetch_hosts=("shop.example.com",))
    assert told == (
        f"{web.address('/sales.csv')}: files may not be fetched from 127.0.0.1; TILLHOUSE_FETCH_HOSTS names "
        "the hosts that they may be fetched from"
    )
    assert web.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_private_address_is_not_asked_unless_that_is_allowed(
    tmp_path: Path, web: WebServer, host: str
) -> None:
    told = refusal(tmp_path, web.address("/sales.csv", host), fetch_private=False)
    assert told.endswith(
        "which is no public address; TILLHOUSE_FETCH_PRIVATE=1 allows such addresses for the hosts of "
        "TILLHOUSE_FETCH_HOSTS"
    )
    assert web.requests == []


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["127.0.0.1", "127.0.0.2"]
    asked: list[str] = []
    genuine = socket.getaddrinfo

    def resolve(host: str, port: int, *others: Any, **named: Any) -> list[Any]:
        if host != "shop.test":
            return genuine(host, port, *others, **named)
        asked.append(host)
        return genuine(answers.pop(0), port, *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    web.answers["/sales.csv"] = file_of(DATA)
    address = web.address("/sales.csv", "shop.test")
    assert contents(tmp_path, address) == {address: DATA}
    assert asked == ["shop.test"]
    assert web.requests[0][1]["Host"] == f"shop.test:{web.port}"


def test_one_private_address_among_others_refuses_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    told = refusal(tmp_path, "http://shop.test/sales.csv", fetch_private=False)
    assert told.startswith("shop.test is at 10.0.0.1, which is no public address")


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::10.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


def test_a_redirect_is_followed_to_an_allowed_host(tmp_path: Path, web: WebServer) -> None:
    web.answers["/latest"] = redirect_to("/sales.csv")
    web.answers["/sales.csv"] = file_of(DATA)
    assert contents(tmp_path, web.address("/latest", userinfo="me:pass@")) == {web.address("/latest"): DATA}
    assert [headers["Authorization"] for _, headers in web.requests] == [basic("me", "pass")] * 2


def test_credentials_do_not_go_along_to_another_host(tmp_path: Path, web: WebServer) -> None:
    web.answers["/latest"] = redirect_to(web.address("/sales.csv", "localhost"))
    web.answers["/sales.csv"] = file_of(DATA)
    contents(tmp_path, web.address("/latest", userinfo="me:pass@"))
    assert [headers.get("Authorization") for _, headers in web.requests] == [basic("me", "pass"), None]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://elsewhere.test/x?token=secret", "http://elsewhere.test/x: files may not be fetched from"),
        ("file:///etc/passwd", "the server redirects to what is no http or https address"),
        ("http://host:port/x", "the server redirects to what is no address"),
        ("/latest", "more than 5 redirects"),
    ],
)
def test_a_redirect_elsewhere_is_not_followed(
    tmp_path: Path, web: WebServer, location: str, message: str
) -> None:
    web.answers["/latest"] = redirect_to(location)
    told = refusal(tmp_path, web.address("/latest"))
    assert message in told
    assert "secret" not in told


def test_the_address_of_every_hop_is_looked_at(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = iter([True, False])
    monkeypatch.setattr("pipeline.fetching.network.is_public", lambda _: next(judged))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", web.port))])
    web.answers["/latest"] = redirect_to(web.address("/sales.csv", "localhost"))
    told = refusal(tmp_path, web.address("/latest", "shop.test"), fetch_private=False)
    assert told.startswith("localhost is at 127.0.0.1, which is no public address")
    assert [path for path, _ in web.requests] == ["/latest"]


def test_a_file_beyond_the_limit_is_not_fetched(tmp_path: Path, web: WebServer) -> None:
    web.answers["/told"] = file_of(b"x" * (1024 * 1024 + 1))

    def untold(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(17):
            request.wfile.write(b"x" * 65536)

    web.answers["/untold"] = untold
    for path in ("/told", "/untold"):
        told = refusal(tmp_path, web.address(path), fetch_limit_mb=1)
        assert told == (
            f"{web.address(path)}: the file is larger than 1 MB (TILLHOUSE_FETCH_LIMIT_MB sets the limit)"
        )


def test_a_server_that_trickles_is_given_up_at_the_limit(tmp_path: Path, web: WebServer) -> None:
    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(200):
            request.wfile.write(b"X-Pad-%d: x\r\n" % number)
            request.wfile.flush()
            time.sleep(0.05)

    web.answers["/slow"] = trickle
    began = time.monotonic()
    told = refusal(tmp_path, web.address("/slow"), fetch_seconds=1)
    assert told == (
        f"{web.address('/slow')}: not complete after 1 seconds (TILLHOUSE_FETCH_SECONDS sets the limit)"
    )
    assert time.monotonic() - began < 5


def test_what_breaks_off_is_not_taken_for_whole(tmp_path: Path, web: WebServer) -> None:
    def short(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(DATA)

    web.answers["/short"] = short
    assert "the transfer broke off (RemoteProtocolError)" in refusal(tmp_path, web.address("/short"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (404, "the server answered 404; there is no such file"),
        (403, "the server answered 403; check the credentials, and that they allow reading this file"),
        (500, "the server answered 500"),
    ],
)
def test_another_answer_than_a_file_is_told(tmp_path: Path, web: WebServer, code: int, message: str) -> None:
    web.answers["/sales.csv?key=secret"] = status(code)
    told = refusal(tmp_path, web.address("/sales.csv?key=secret", userinfo="me:pass@"))
    assert told == f"{web.address('/sales.csv')}: {message}"


def test_one_of_several_that_fails_leaves_none(tmp_path: Path, web: WebServer) -> None:
    web.answers["/a.csv"] = file_of(DATA)
    assert "b.csv: the server answered 404" in refusal(tmp_path, web.address("/a.csv"), web.address("/b.csv"))
    assert spooled(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["http://me:secret@[::1/x", "https://", "http:///secret", "http://me:secret@host:port/x"]
)
def test_what_is_no_address_is_told_without_repeating_it(tmp_path: Path, text: str) -> None:
    told = refusal(tmp_path, text)
    assert told.startswith("the address ")
    assert "secret" not in told


def test_a_name_without_an_address_and_a_port_without_a_server_are_told(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert "the transfer broke off (ConnectError)" in refusal(tmp_path, f"http://127.0.0.1:{port}/x")
    told = refusal(tmp_path, "http://no-such-host.invalid/x", fetch_hosts=("no-such-host.invalid",))
    assert told == "no-such-host.invalid: there is no address for this name"
