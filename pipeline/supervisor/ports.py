"""Which port a service gets."""

import socket

from pipeline.supervisor.errors import SupervisorError

_TRIES = 100


def choose_port(host: str, wanted: int | None, first: int, variable: str) -> int:
    """The port to listen on: the one that is set, or else the first free one.

    Args:
        host: the address to listen on.
        wanted: what the setting says, or None.
        first: where to begin to look when nothing is set.
        variable: the setting's environment variable, named in the error.

    Raises:
        SupervisorError: the wanted port is taken, or none is free.
    """
    if wanted is not None:
        if is_free(host, wanted):
            return wanted
        raise SupervisorError(
            f"port {wanted} ({variable}) on {host} is taken by another program: stop that, set {variable} "
            "to a free port, or unset it to get the next free one"
        )
    for port in range(first, first + _TRIES):
        if is_free(host, port):
            return port
    raise SupervisorError(f"no free port on {host} from {first} to {first + _TRIES - 1}: set {variable}")


def is_free(host: str, port: int) -> bool:
    """Whether this port can be listened on, and nothing answers there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SupervisorError(f"{host!r} is no address of this machine: {error}") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return not answers(reachable_host(host), port)


def answers(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def reachable_host(host: str) -> str:
    """The address by which this machine reaches a service that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def http_url(host: str, port: int) -> str:
    """The URL of a service, as this machine's browser would open it."""
    host = reachable_host(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
