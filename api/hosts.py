"""Who may call: names of hosts that are served, and no page of another site.

On loopback there is no login. A page of another site could still send requests there from the
user's browser, and a name of its own could be made to point at 127.0.0.1; so both the host that a
request names and the origin that it comes from are checked.
"""

import ipaddress
from urllib.parse import urlsplit

from flask import Flask, request

from api.problems import Problem
from pipeline.settings import Settings, SettingsError

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_listening(settings: Settings) -> str | None:
    """The warning to give before listening, or None when only this machine can call.

    Raises:
        SettingsError: the address is reached from elsewhere and that was not allowed.
    """
    if is_loopback(settings.api_host):
        return None
    if not settings.allow_remote:
        raise SettingsError(
            f"TILLHOUSE_API_HOST={settings.api_host} can be reached from other machines, and the API asks "
            "for no login: listen on 127.0.0.1, or set TILLHOUSE_ALLOW_REMOTE=true where only trusted "
            "callers can reach it"
        )
    return (
        f"listening on {settings.api_host} without login: whoever reaches this address can read every number "
        "and start refreshes"
    )


def register(app: Flask, settings: Settings) -> None:
    """Check the host and the origin of every request."""
    served = LOOPBACK_NAMES | set(settings.allowed_hosts)

    @app.before_request
    def check_caller() -> None:
        host = _host_name(request.headers.get("Host", ""))
        if host not in served:
            raise Problem(
                "host_not_allowed",
                f"The host {host or '(none)'!r} is not served here: use localhost, or name it in "
                "TILLHOUSE_ALLOWED_HOSTS.",
            )
        _check_origin()


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    # Browsers name the origin in every request that a page's script sends elsewhere, and in every
    # one that may change something.
    if origin is not None:
        if urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower():
            raise Problem("origin_not_allowed", f"Pages of {origin[:200]!r} may not call this service.")
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in _SAFE_METHODS and site not in ("same-origin", "none"):
        raise Problem("origin_not_allowed", "A page of another site may not call this service.")


def _host_name(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
