"""Who calls, and what they may: every route names the scope that it needs.

Single-user mode (loopback, no accounts) knows one caller, who may do everything. With accounts,
a caller shows an access token, or its browser the cookie of a sign-in; who it is and what it may is
read from Postgres at every request, so that a change of role or regions, or the end of a session,
holds at once. A browser sends its cookie whoever wrote the page, so the cookie is enough to read, and
to change something only where a route says that the service's own pages ask for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from flask import Flask, Response, current_app, g, request

from api import browser_sessions, hosts
from api.listening import accounts_required
from api.problems import Problem
from api.responses import see_other
from api.services import services
from pipeline.accounts.principals import Account
from pipeline.accounts.roles import SCOPES, Scope
from pipeline.accounts.sessions import find_caller
from pipeline.accounts.tokens import AccessToken, InvalidToken, SessionToken, read_token
from pipeline.settings import Settings
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import saved_signing_key

# Whose job asks, in place of a client: a WSGI environment's key that only code in this process can
# set (headers begin with HTTP_).
JOB = "tillhouse.job_principal"
SIGN_IN = "/sign-in"
_NEEDS = "_tillhouse_needs"
_CHALLENGE = 'Bearer realm="tillhouse"'


@dataclass(frozen=True)
class Principal:
    """A caller. ``regions`` None sees every region; ``id`` None is the only user of a laptop."""

    id: UUID | None
    name: str
    scopes: frozenset[str]
    regions: tuple[str, ...] | None = None
    kind: str = "user"
    role: str | None = None


LOCAL = Principal(None, "local", frozenset(SCOPES), role="admin")
# Whoever calls a public route, or calls without a valid token.
ANYBODY = Principal(None, "anonymous", frozenset(), ())


@dataclass(frozen=True)
class Needs:
    """What a route asks of its caller; without a scope, any account will do."""

    scope: Scope | None
    # Whether the route can answer for some regions alone; otherwise limited callers get a 403.
    is_regional: bool = True
    is_public: bool = False
    # Whether the cookie of a browser is enough to change something; to read, it always is.
    by_cookie: bool = False
    # Whether people open it in a browser: who has not signed in is led there instead of refused.
    is_page: bool = False
    # How a browser that has not signed in is led there by what is no page; gets the address.
    leads: Callable[[str], Response] | None = None


def requires(
    scope: Scope,
    *,
    regional: bool = True,
    by_cookie: bool = False,
    leads: Callable[[str], Response] | None = None,
) -> Callable[[Any], Any]:
    """Let only callers with this scope in.

    Args:
        scope: what they need.
        regional: False keeps callers limited to regions out.
        by_cookie: for what the service's own pages ask for: a signed-in browser may, by any method.
        leads: answers a browser that has not signed in, with the address at which it can.
    """
    return _declare(Needs(scope, regional, by_cookie=by_cookie, leads=leads))


def page(scope: Scope, *, regional: bool = True) -> Callable[[Any], Any]:
    """The same for a page that is opened in a browser; who has not signed in is led there first."""
    return _declare(Needs(scope, regional, by_cookie=True, is_page=True))


def public_page(view: Any) -> Any:
    """Let everybody open a page, and send its forms."""
    return _declare(Needs(None, is_public=True, by_cookie=True, is_page=True))(view)


def authenticated(view: Any) -> Any:
    """Let every account in: the route has nothing but what the caller knows of itself."""
    return _declare(Needs(None))(view)


def public(view: Any) -> Any:
    """Let everybody in: the route has nothing of the data."""
    return _declare(Needs(None, is_public=True))(view)


def principal() -> Principal:
    """Who makes this request."""
    found: Principal = g.principal
    return found


def needs_of(view: Any) -> Needs:
    """What a view was declared to need; the most when nothing was declared."""
    found: Needs = getattr(view, _NEEDS, Needs("admin", is_regional=False))
    return found


def register(app: Flask, settings: Settings) -> None:
    """Name the caller of every request, and let it in or not."""
    has_accounts = accounts_required(settings)

    @app.before_request
    def let_in() -> Response | None:
        g.principal = ANYBODY if has_accounts else LOCAL
        rule = request.url_rule
        # A browser asks by OPTIONS, without a token, whether it may ask: Flask answers that itself.
        is_preflight = request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False)
        if rule is None or is_preflight:
            return None
        needs = _needs_of_request(app)
        if needs.by_cookie:
            hosts.check_own_page()
        if JOB in request.environ:
            g.principal = request.environ[JOB]
        elif has_accounts and not needs.is_public:
            try:
                g.principal = _caller()
            except Problem as problem:
                is_opened = needs.is_page and request.method in hosts.SAFE_METHODS
                leads = see_other if is_opened else needs.leads
                if leads is None or problem.type.code != "unauthenticated":
                    raise
                return leads(_sign_in_address())
        check(principal(), needs)
        return None

    @app.after_request
    def keep_private(response: Response) -> Response:
        if _needs_of_request(app).is_page:
            # With the forms of a page that sends no referrer, browsers name the origin "null".
            response.headers["Referrer-Policy"] = "same-origin"
            if has_accounts:
                response.headers["Cache-Control"] = "no-store"
                response.vary.add("Cookie")
        return response


def check(caller: Principal, needs: Needs) -> None:
    """Let a caller pass, or say why not.

    Raises:
        Problem: 403 when a scope is missing, or the route knows no regions and the caller is limited to some.
    """
    if needs.scope is not None and needs.scope not in caller.scopes:
        raise Problem(
            "missing_scope",
            f"This needs the scope {needs.scope}, which {caller.name} lacks.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{needs.scope}"'},
        )
    if not needs.is_regional and caller.regions is not None:
        raise Problem(
            "not_regional",
            f"{caller.name} is limited to regions, and this cannot be told for some regions alone.",
        )


def named(account: Account, scopes: frozenset[str]) -> Principal:
    """An account as a caller that was granted these scopes of its role's."""
    regions = None if account.regions is None else tuple(account.regions)
    granted = scopes & account.scopes
    return Principal(account.principal_id, account.name, granted, regions, account.kind, account.role)


def signing_key() -> bytes:
    """The key of access tokens.

    Raises:
        WarehouseError: it was not made yet.
    """
    key = saved_signing_key(services().settings.home)
    if key is None:
        raise WarehouseError("the home folder has no key for access tokens: run `tillhouse up`")
    return key


def shown_token() -> AccessToken | SessionToken:
    """What the request's token or cookie says, read once a request; nobody is asked if its session lives.

    Raises:
        Problem: 401, when there is neither, or the token is not valid.
    """
    if "shown_token" not in g:
        try:
            g.shown_token = _read_shown()
        except Problem as problem:
            g.shown_token = problem
    if isinstance(g.shown_token, Problem):
        raise g.shown_token
    token: AccessToken | SessionToken = g.shown_token
    return token


def signed_in() -> tuple[Account, UUID] | None:
    """The account of the request's cookie and its session, when that still lives."""
    token = browser_sessions.shown(signing_key)
    if token is None:
        return None
    with services().database.writing() as connection:
        account = find_caller(connection, token.session_id, token.principal_id)
    return (account, token.session_id) if account else None


def _read_shown() -> AccessToken | SessionToken:
    if "Authorization" in request.headers:
        return _read_header()
    takes_cookie = request.method in hosts.SAFE_METHODS or _needs_of_request(current_app).by_cookie
    token = browser_sessions.shown(signing_key) if takes_cookie else None
    if token is None:
        raise _unauthenticated()
    return token


def _read_header() -> AccessToken:
    # From this header alone: addresses are kept in logs and histories.
    kind, _, text = request.headers["Authorization"].strip().partition(" ")
    if kind.lower() != "bearer":
        raise _unauthenticated()
    try:
        return read_token(signing_key(), text.strip())
    except InvalidToken as error:
        raise _invalid() from error


def _caller() -> Principal:
    """The account that the request's token or cookie was made for.

    Raises:
        Problem: 401, when there is neither, or it is not valid any more.
    """
    token = shown_token()
    with services().database.writing() as connection:
        account = find_caller(connection, token.session_id, token.principal_id)
    if isinstance(token, SessionToken):
        if account is None:
            # As if there were no cookie: whoever signs in again gets another.
            raise _unauthenticated()
        return named(account, account.scopes)
    if account is None:
        raise _invalid()
    return named(account, token.scopes)


def _sign_in_address() -> str:
    """Where a browser signs in, and is led back to the page that it is on, or wanted."""
    query = request.query_string.decode("utf-8", "replace")
    on = urlsplit(request.referrer or "/") if request.method not in hosts.SAFE_METHODS else None
    path, query = (on.path, on.query) if on else (request.path, query)
    wanted = f"{path}?{query}" if query else path
    return f"{SIGN_IN}?{urlencode({'next': wanted})}"


def _needs_of_request(app: Flask) -> Needs:
    return needs_of(app.view_functions.get(request.endpoint or ""))


def _unauthenticated() -> Problem:
    return Problem(
        "unauthenticated",
        "Send an access token: Authorization: Bearer <token>. POST /api/v1/auth/token gives one.",
        headers={"WWW-Authenticate": _CHALLENGE},
    )


def _invalid() -> Problem:
    detail = "The access token is not valid, has expired or was revoked: get another one."
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{detail}"'
    return Problem("invalid_token", detail, headers={"WWW-Authenticate": challenge})


def _declare(needs: Needs) -> Callable[[Any], Any]:
    def decorate(view: Any) -> Any:
        setattr(view, _NEEDS, needs)
        return view

    return decorate
