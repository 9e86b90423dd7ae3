"""Connections to allowed places alone.

A name is resolved once, its addresses are looked at, and the connection goes to one of them: a name that
is resolved anew could lead elsewhere.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from pipeline.fetching.errors import FetchError

# IPv6 addresses that stand for IPv4 ones behind a translator.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# For local translation, and a form that is used no more (RFC 8215, RFC 4291): they lead anywhere.
_UNCLEAR = (ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("::/96"))


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to public addresses, and to private ones if that is allowed; all is over at the deadline."""

    def __init__(self, *, allow_private: bool, deadline: float) -> None:
        self._allow_private, self._deadline = allow_private, deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers.

        Raises:
            FetchError: it has no address, or one that is not allowed.
            httpcore.ConnectError: none answers.
        """
        addresses = _resolved(host, port)
        if not self._allow_private:
            private = [address for address in addresses if not is_public(address)]
            if private:
                raise FetchError(
                    f"{host} is at {private[0]}, which is no public address; TILLHOUSE_FETCH_PRIVATE=1 "
                    "allows such addresses for the hosts of TILLHOUSE_FETCH_HOSTS"
                )
        *others, last = addresses
        for address in others:
            try:
                return self._connected(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connected(last, port, timeout, local_address, socket_options)

    def _connected(
        self,
        address: str,
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.NetworkStream:
        wait = _time_left(self._deadline, timeout, httpcore.ConnectTimeout)
        stream = self._network.connect_tcp(address, port, wait, local_address, socket_options)
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A connection that is over at the deadline, however slowly the other side goes on sending."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes."""
        return self._stream.read(max_bytes, _time_left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, _time_left(self._deadline, timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on with encryption."""
        wait = _time_left(self._deadline, timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, wait), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        """End it."""
        self._stream.close()


def _time_left(deadline: float, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error
    return left if timeout is None else min(left, timeout)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network: neither private, loopback nor link-local."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in network for network in _UNCLEAR):
            return False
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchError(f"{host}: there is no address for this name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
