"""How often one caller may ask, and which other sites' pages may."""

import ipaddress
import time
from dataclasses import dataclass, replace
from hashlib import blake2b
from urllib.parse import unquote_plus

from apiflask import APIFlask
from flask import Response, g, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from api.access import JOB, shown_token
from api.listening import accounts_required
from api.problems import Problem
from api.windows import Rate, Window, Windows
from pipeline.settings import Settings
from pipeline.warehouse.errors import WarehouseError

# Both doors share their limits.
SIGN_IN = "sign_in.post_sign_in"
LOGINS = ("auth.post_token", SIGN_IN)
# Of one name from one address, and of all names from it.
FAILED_LOGINS, FAILED_LOGINS_OF_ADDRESS = Rate(10, 60), Rate(30, 60)
# Who watches over the service must not be kept from it by those who flood it.
EXEMPT = ("health.get_healthz", "health.get_readyz", "metrics.get_metrics")


@dataclass(frozen=True)
class _Limit:
    """What one caller may do, and how much of it was done."""

    rate: Rate
    window: Window

    @property
    def is_breached(self) -> bool:
        return self.window.count > self.rate.amount

    @property
    def seconds(self) -> int:
        """Until the window ends."""
        return max(1, int(self.window.ends_at - time.time()))


def register(app: APIFlask, settings: Settings) -> None:
    """Refuse callers that ask too often, and open the API to the pages of the sites that are allowed.

    To be called before the hook that looks callers up in Postgres: a flood without a valid token must
    not get that far.
    """
    windows, rate = Windows(settings), Rate.read(settings.rate_limit)
    whose = _caller if accounts_required(settings) else lambda: "local"

    @app.before_request
    def refuse_too_many() -> None:
        # What the service asks of itself was counted when a caller asked for it.
        if request.endpoint in EXEMPT or JOB in request.environ:
            return
        g.limit = _Limit(rate, windows.count(whose(), rate))
        if g.limit.is_breached:
            raise Problem("rate_limited", f"Too many requests from this caller: wait {g.limit.seconds} s.")
        if request.endpoint in LOGINS:
            _refuse_failed_logins(windows)

    @app.after_request
    def tell(response: Response) -> Response:
        if request.endpoint in LOGINS and response.status_code in (400, 401):
            for key, allowed in _logins():
                windows.count(key, allowed)
        return _tell(response)

    if settings.allowed_origins:
        CORS(
            app,
            origins=list(settings.allowed_origins),
            methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
            max_age=600,
        )


def _refuse_failed_logins(windows: Windows) -> None:
    for key, allowed in _logins():
        failed = windows.count(key, allowed, adding=0)
        if failed.count >= allowed.amount:
            # This one would be one too many.
            g.limit = _Limit(allowed, replace(failed, count=failed.count + 1))
            raise Problem("rate_limited", f"Too many failed logins: wait {g.limit.seconds} s.")


def _logins() -> list[tuple[str, Rate]]:
    return [
        (f"login:{_login()}", FAILED_LOGINS),
        (f"logins:{_address()}", FAILED_LOGINS_OF_ADDRESS),
    ]


def _tell(response: Response) -> Response:
    """Say how much is left, in the headers of the IETF's draft; seconds, as there."""
    limit: _Limit | None = g.get("limit")
    if limit is None:
        return response
    seconds = str(limit.seconds)
    response.headers["RateLimit-Limit"] = str(limit.rate.amount)
    response.headers["RateLimit-Remaining"] = str(max(0, limit.rate.amount - limit.window.count))
    response.headers["RateLimit-Reset"] = seconds
    if limit.is_breached:
        response.headers["Retry-After"] = seconds
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
        if request.endpoint == SIGN_IN or form.get("grant_type") == "password":
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
