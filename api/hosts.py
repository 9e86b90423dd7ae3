"""Who may call: names of hosts that are served, and no page of another site.

A page of another site could send requests here from the user's browser, and a name of its own could
be made to point at 127.0.0.1, where there is no login; so both the host that a request names and the
origin that it comes from are checked.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, request

from api.problems import Problem
from pipeline.settings import Settings

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


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
        _check_origin(settings.allowed_origins)


def _check_origin(allowed: Collection[str]) -> None:
    origin = request.headers.get("Origin")
    # Browsers name the origin in every request that a page's script sends elsewhere, and in every
    # one that may change something.
    if origin is not None:
        if not _is_own(origin) and origin.lower() not in allowed:
            raise Problem("origin_not_allowed", f"Pages of {origin[:200]!r} may not call this service.")
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in SAFE_METHODS and site not in ("same-origin", "none"):
        raise Problem("origin_not_allowed", "A page of another site may not call this service.")


def check_own_page() -> None:
    """Refuse a change that the page of another site asks for, even of one that may call the API.

    Such a page has tokens of its own; with the cookie of whoever looks at it, it would act in their name.

    Raises:
        Problem: 403, when the request's origin is not this service.
    """
    origin = request.headers.get("Origin")
    if request.method not in SAFE_METHODS and origin is not None and not _is_own(origin):
        raise Problem("origin_not_allowed", f"Pages of {origin[:200]!r} may not act for who is signed in.")


def _is_own(origin: str) -> bool:
    # What came by http may have been changed on its way; it is not what https protects.
    is_as_safe = not request.is_secure or origin.lower().startswith("https:")
    return is_as_safe and _authority(origin) == request.headers.get("Host", "").lower()


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _host_name(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
