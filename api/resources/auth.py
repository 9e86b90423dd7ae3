"""Login: tokens by OAuth 2 (RFC 6749), their revocation (RFC 7009), and who one is."""

from typing import Any, NoReturn
from urllib.parse import unquote_plus
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field

from api import audit, logins
from api.access import authenticated, named, principal, public, signing_key
from api.documented import answers_with
from api.listening import accounts_required
from api.problems import Problem
from api.responses import json_response
from api.services import services
from pipeline.accounts.roles import Kind
from pipeline.accounts.sessions import Session, begin_session, end_session, renew_session, session_of
from pipeline.accounts.tokens import LIFETIME, AccessToken, InvalidToken, read_token, write_token
from pipeline.answers.models import Model

blueprint = APIBlueprint("auth", __name__, url_prefix="/api/v1/auth", tag="Login")

FORM = "application/x-www-form-urlencoded"


class Form(BaseModel):
    """The base of OAuth forms, which may carry what the server does not know (RFC 6749, 3.2)."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TokenForm(Form):
    """A request for tokens."""

    grant_type: str = Field("", description="`password`, `client_credentials` or `refresh_token`.")
    username: str = Field("", description="With `password`: the user's name.")
    password: str = Field("", description="With `password`.", json_schema_extra={"format": "password"})
    client_id: str = Field("", description="With `client_credentials`, unless sent by HTTP Basic.")
    client_secret: str = Field("", description="With `client_id`.", json_schema_extra={"format": "password"})
    refresh_token: str = Field("", description="With `refresh_token`; each works once.")
    scope: str = Field("", description="Only these scopes, with spaces between; default all of the role's.")


class RevokeForm(Form):
    """What to revoke."""

    token: str = Field("", description="An access or a refresh token; its whole session ends.")
    token_type_hint: str = Field("", description="Not needed.")


class Token(Model):
    """Tokens, in the form that OAuth clients know."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    token_type: str
    expires_in: int = Field(description="Seconds until the access token expires.")
    refresh_token: str | None = Field(None, description="Exchange it for new tokens, once; users only.")
    scope: str


class Revoked(Model):
    """Nothing: whatever the token was, it works no more."""


class Me(Model):
    """An account as it is now."""

    id: UUID | None = Field(description="Null for the only user of a service without accounts.")
    kind: str
    name: str
    role: str | None
    scopes: list[str] = Field(description="What this access token may; at most what the role may.")
    regions: list[str] | None = Field(description="The only regions that it sees; null for all of them.")


class MeOne(Model):
    """Who one is."""

    data: Me


@blueprint.post("/token")
@blueprint.input(TokenForm, location="form")
@answers_with(
    blueprint,
    Token,
    *("invalid_request", "invalid_grant", "invalid_client", "invalid_scope", "unsupported_grant_type"),
    *("unsupported_media_type", "accounts_off", "database_unavailable"),
)
@public
def post_token(form_data: TokenForm) -> Response:
    """Log in, or renew a login.

    Users log in with `password` and stay logged in with `refresh_token`; a refresh token that is used a
    second time ends its session. Clients use `client_credentials`. Errors carry OAuth's `error` and
    `error_description` beside the members of every problem.
    """
    _check_form()
    match form_data.grant_type:
        case "password":
            session = _by_password(form_data)
        case "client_credentials":
            session = _by_secret(form_data)
        case "refresh_token":
            session = _by_refresh_token(form_data)
        case "":
            _refuse("invalid_request", "The parameter grant_type is missing.")
        case _:
            _refuse("unsupported_grant_type", "Use password, client_credentials or refresh_token.")
    granted = _narrowed(session.granted, form_data.scope)
    g.principal = named(session.account, granted)
    return _answer(session, granted)


@blueprint.post("/revoke")
@blueprint.input(RevokeForm, location="form")
@answers_with(
    blueprint, Revoked, "invalid_request", "unsupported_media_type", "accounts_off", "database_unavailable"
)
@public
def post_revoke(form_data: RevokeForm) -> Response:
    """Log out: end the session of a token, with all its tokens; a token that is none is no error."""
    _check_form()
    if not form_data.token:
        _refuse("invalid_request", "The parameter token is missing.")
    with services().database.writing() as connection:
        session_id = session_of(connection, form_data.token) or _session_of_access(form_data.token)
        if session_id is not None:
            audit.about(f"session {session_id}")
            end_session(connection, session_id)
    return json_response({})


@blueprint.get("/me")
@answers_with(blueprint, MeOne)
@authenticated
def get_me() -> Response:
    """Who one is, and what one may."""
    caller = principal()
    me: dict[str, Any] = {
        "id": caller.id,
        "kind": caller.kind,
        "name": caller.name,
        "role": caller.role,
        "scopes": sorted(caller.scopes),
        "regions": caller.regions,
    }
    return json_response({"data": me})


def _by_password(form: TokenForm) -> Session:
    if not form.username or not form.password:
        _refuse("invalid_request", "The grant password takes the parameters username and password.")
    session = _begun("user", form.username, form.password, form.scope)
    if session is None:
        _refuse("invalid_grant", "The name or the password is wrong.")
    return session


def _by_secret(form: TokenForm) -> Session:
    name, secret = form.client_id, form.client_secret
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        if secret:
            _refuse("invalid_request", "Send the secret by HTTP Basic or in the body, not both.")
        # Encoded once more within the header (RFC 6749, 2.3.1).
        name, secret = unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    session = _begun("client", name, secret, form.scope)
    if session is None:
        challenge = {"WWW-Authenticate": 'Basic realm="tillhouse"'}
        _refuse("invalid_client", "The client or its secret is wrong.", challenge)
    return session


def _by_refresh_token(form: TokenForm) -> Session:
    if not form.refresh_token:
        _refuse("invalid_request", "The parameter refresh_token is missing.")
    with services().database.writing() as connection:
        session = renew_session(connection, form.refresh_token)
        if session is not None:
            # Here, where a refusal takes back that the refresh token was used.
            _narrowed(session.granted, form.scope)
    if session is None:
        detail = "The refresh token is not valid, has expired or was used before: log in again."
        _refuse("invalid_grant", detail)
    return session


def _begun(kind: Kind, name: str, secret: str, scope: str) -> Session | None:
    found = logins.checked(kind, name, secret)
    if found is None:
        return None
    account, secret_hash = found
    asked = _narrowed(account.scopes, scope) if scope else None
    with services().database.writing() as connection:
        return begin_session(connection, account, asked, secret_hash)


def _narrowed(granted: frozenset[str], scope: str) -> frozenset[str]:
    asked = frozenset(scope.split()) or granted
    if not asked <= granted:
        _refuse(
            "invalid_scope",
            f"Of the scopes, these can be asked for: {' '.join(sorted(granted))}.",
        )
    return asked


def _answer(session: Session, granted: frozenset[str]) -> Response:
    token = AccessToken(session.account.principal_id, session.session_id, granted)
    body: dict[str, Any] = {
        "access_token": write_token(signing_key(), token),
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": " ".join(sorted(granted)),
    }
    if session.refresh_token is not None:
        body["refresh_token"] = session.refresh_token
    response = json_response(body)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def _session_of_access(token: str) -> UUID | None:
    try:
        return read_token(signing_key(), token).session_id
    except InvalidToken:
        return None


def _check_form() -> None:
    if not accounts_required(services().settings):
        raise Problem("accounts_off", "This service asks for no login; TILLHOUSE_ACCOUNTS=true turns it on.")
    if request.mimetype != FORM:
        raise Problem(
            "unsupported_media_type", f"Send the parameters as {FORM}.", headers={"Accept-Post": FORM}
        )
    if any(len(values) > 1 for _, values in request.form.lists()):
        _refuse("invalid_request", "A parameter was sent more than once.")


def _refuse(code: str, detail: str, headers: dict[str, str] | None = None) -> NoReturn:
    raise Problem(code, detail, headers=headers, extra={"error": code, "error_description": detail})
