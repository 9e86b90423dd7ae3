"""How often one caller may ask, and which other sites' pages may."""

import ipaddress
import time
from collections.abc import Callable
from hashlib import blake2b
from urllib.parse import unquote_plus

from apiflask import APIFlask
from flask import Response, request
from flask_cors import CORS
from flask_limiter import ApplicationLimit, Limiter
from limits.errors import StorageError
from werkzeug.exceptions import HTTPException

from api.access import shown_token
from api.listening import accounts_required
from api.logs import UNMATCHED
from api.problems import Problem
from pipeline.settings import Settings
from pipeline.warehouse.errors import WarehouseError

LOGIN = "auth.post_token"
# Of one name from one address, and of all names from it.
FAILED_LOGINS, FAILED_LOGINS_OF_ADDRESS = "10/minute", "30/minute"
# Who watches over the service must not be kept from it by those who flood it.
EXEMPT = ("health.get_healthz", "health.get_readyz", "metrics.get_metrics")
_MESSAGE = "Too many requests from this caller: wait as long as Retry-After says."
_REDIS_SECONDS = {"socket_timeout": 1, "socket_connect_timeout": 1}


def register(app: APIFlask, settings: Settings) -> None:
    """Refuse callers that ask too often, and open the API to the pages of the sites that are allowed.

    To be called before the hook that looks callers up in Postgres: a flood without a valid token must
    not get that far.
    """
    limiter = Limiter(
        _caller if accounts_required(settings) else lambda: "local",
        app=app,
        application_limits=[
            ApplicationLimit(settings.rate_limit, error_message=_MESSAGE),
            _failed_logins(FAILED_LOGINS, "login", _login),
            _failed_logins(FAILED_LOGINS_OF_ADDRESS, "logins", _address),
        ],
        request_identifier=lambda: request.endpoint or UNMATCHED,
        storage_uri=settings.redis_url or "memory://",
        storage_options={"wrap_exceptions": True, **_REDIS_SECONDS} if settings.redis_url else {},
        key_prefix="tillhouse",
        # Without Redis each process counts for itself; no request fails for that.
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    limiter.request_filter(lambda: request.endpoint in EXEMPT)
    app.after_request(lambda response: _tell(limiter, response))
    if settings.allowed_origins:
        CORS(
            app,
            origins=list(settings.allowed_origins),
            methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
            max_age=600,
        )


def _failed_logins(limit: str, scope: str, whose: Callable[[], str]) -> ApplicationLimit:
    return ApplicationLimit(
        limit,
        key_function=whose,
        scope=scope,
        exempt_when=lambda: request.endpoint != LOGIN,
        deduct_when=lambda response: response.status_code in (400, 401),
        error_message="Too many failed logins: wait as long as Retry-After says.",
    )


def _tell(limiter: Limiter, response: Response) -> Response:
    """Say how much is left, in the headers of the IETF's draft; seconds, as there."""
    limit = limiter.current_limit
    if limit is None:
        return response
    try:
        seconds = max(1, int(limit.reset_at - time.time()))
        remaining = 0 if limit.breached else limit.remaining
    except StorageError:
        return response
    response.headers["RateLimit-Limit"] = str(limit.limit.amount)
    response.headers["RateLimit-Remaining"] = str(remaining)
    response.headers["RateLimit-Reset"] = str(seconds)
    if limit.breached:
        response.headers["Retry-After"] = str(seconds)
    return response


def _caller() -> str:
    """Whose account a valid token names, which asks nobody; else the address."""
    try:
        return f"account:{shown_token().principal_id}"
    except (Problem, WarehouseError):
        return _address()


def _login() -> str:
    """The address and the name that somebody tries to log in by: that of the field that the grant reads."""
    try:
        form, basic, name = request.form, request.authorization, ""
        if form.get("grant_type") == "password":
            name = form.get("username", "")
        elif form.get("grant_type") == "client_credentials":
            is_basic = basic is not None and basic.type == "basic"
            name = unquote_plus(basic.username or "") if basic and is_basic else form.get("client_id", "")
    except HTTPException:
        # Too large to be read; the view says so.
        name = ""
    # Hashed, for names can be long, and mistaken for passwords.
    mark = blake2b(name.strip().lower().encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{_address()}:{mark}"


def _address() -> str:
    """The caller's address; of IPv6 the network, for one caller has all of its addresses."""
    given = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return f"address:{given or 'unknown'}"
    if address.version == 6 and address.ipv4_mapped is None:
        return f"address:{ipaddress.ip_network((address, 64), strict=False)}"
    return f"address:{address}"
