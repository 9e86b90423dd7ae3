"""Files at http and https addresses."""

import base64
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

import certifi
import httpcore
import httpx

from pipeline.fetching.errors import FetchError
from pipeline.fetching.network import CheckedNetwork
from pipeline.fetching.spool import Spool

_REDIRECTS = 5
_REDIRECT_STATUS = (301, 302, 303, 307, 308)
# For a connection, and for the next piece of an answer; the whole has its limit by setting.
_STEP_SECONDS = 30.0


@dataclass(frozen=True)
class WebPolicy:
    """Where files may be fetched from."""

    hosts: tuple[str, ...]
    allow_private: bool


def is_web_address(text: str) -> bool:
    """Whether it is meant as an http or https address."""
    return text.lower().startswith(("http://", "https://"))


def shown(address: httpx.URL) -> str:
    """An address without its query, its fragment and any credentials."""
    return str(address.copy_with(userinfo=b"", query=None, fragment=None))


def parsed(text: str) -> httpx.URL:
    """The address.

    Raises:
        FetchError: it is none. The message does not repeat it: it may hold a password.
    """
    try:
        address = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError):
        raise FetchError(
            "the address after http:// or https:// cannot be understood; check its spelling"
        ) from None
    if not address.host:
        raise FetchError("the address names no host: write https://host/path")
    return address


def fetch_web(address: httpx.URL, spool: Spool, policy: WebPolicy) -> None:
    """Write what is at an address into the spool.

    Raises:
        FetchError: the host is not allowed, does not answer, answers with no file, or with too much.
    """
    deadline = time.monotonic() + spool.seconds
    secret = _authorization(address)
    origin = _origin(address)
    # Those that Python is shipped with, and those of this machine.
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    network = CheckedNetwork(allow_private=policy.allow_private, deadline=deadline)
    with httpcore.ConnectionPool(ssl_context=context, network_backend=network) as pool:
        for _ in range(_REDIRECTS + 1):
            _require_allowed(address, policy)
            # Credentials are for the host that they were given for.
            credentials = secret if _origin(address) == origin else None
            with _answer(pool, address, credentials, spool, deadline) as answer:
                if answer.status not in _REDIRECT_STATUS:
                    _spool(answer, shown(address), spool)
                    return
                address = _redirected(address, answer)
    raise FetchError(f"{shown(address)}: more than {_REDIRECTS} redirects")


def _require_allowed(address: httpx.URL, policy: WebPolicy) -> None:
    host = _host(address)
    if host not in policy.hosts:
        raise FetchError(
            f"{shown(address)}: files may not be fetched from {host}; TILLHOUSE_FETCH_HOSTS names the hosts "
            "that they may be fetched from"
        )


def _host(address: httpx.URL) -> str:
    return address.raw_host.decode("ascii").lower().rstrip(".")


def _origin(address: httpx.URL) -> tuple[str, str, int | None]:
    return address.scheme, _host(address), address.port


def _authorization(address: httpx.URL) -> bytes | None:
    if not address.userinfo:
        return None
    name, _, password = address.userinfo.decode("ascii").partition(":")
    return b"Basic " + base64.b64encode(f"{unquote(name)}:{unquote(password)}".encode())


@contextmanager
def _answer(
    pool: httpcore.ConnectionPool,
    address: httpx.URL,
    credentials: bytes | None,
    spool: Spool,
    deadline: float,
) -> Iterator[httpcore.Response]:
    """The answer to a request. What goes wrong is told by its kind: its text may name the address."""
    name = shown(address)
    target = httpcore.URL(
        scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path
    )
    headers = [
        (b"Host", address.netloc),
        (b"User-Agent", b"tillhouse"),
        (b"Accept", b"*/*"),
        # The bytes as they are: what is packed, landing unpacks.
        (b"Accept-Encoding", b"identity"),
    ]
    if credentials is not None:
        headers.append((b"Authorization", credentials))
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), _STEP_SECONDS)
    try:
        with pool.stream("GET", target, headers=headers, extensions={"timeout": timeout}) as answer:
            yield answer
    except httpcore.TimeoutException:
        if time.monotonic() >= deadline:
            raise spool.too_slow(name) from None
        raise FetchError(f"{name}: no answer for {_STEP_SECONDS:g} seconds; try again later") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise FetchError(f"{name}: the server's certificate is not valid for it") from None
        kind = type(error).__name__
        raise FetchError(f"{name}: the transfer broke off ({kind}); try again later") from None


def _spool(answer: httpcore.Response, name: str, spool: Spool) -> None:
    if answer.status != 200:
        raise FetchError(f"{name}: the server answered {answer.status}{_hint(answer.status)}")
    length = _header(answer, b"content-length")
    if length is not None and length.isdigit():
        spool.require_room(int(length), name)
    for piece in answer.iter_stream():
        spool.write(piece, name)


def _hint(status: int) -> str:
    if status in (401, 403):
        return "; check the credentials, and that they allow reading this file"
    return "; there is no such file" if status == 404 else ""


def _redirected(address: httpx.URL, answer: httpcore.Response) -> httpx.URL:
    location = _header(answer, b"location")
    if location is None:
        raise FetchError(f"{shown(address)}: the server answered {answer.status} without saying where to go")
    try:
        target = address.join(location)
    except (httpx.InvalidURL, UnicodeError):
        raise FetchError(f"{shown(address)}: the server redirects to what is no address") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise FetchError(f"{shown(address)}: the server redirects to what is no http or https address")
    if address.scheme == "https" and target.scheme == "http":
        raise FetchError(f"{shown(address)}: the server redirects to an address without encryption")
    return target


def _header(answer: httpcore.Response, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in answer.headers if key.lower() == name), None)
