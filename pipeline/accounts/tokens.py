"""Signed JSON Web Tokens (RFC 7519): access tokens (RFC 9068), and those in the cookies of browsers."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from pipeline.accounts.errors import AccountError

LIFETIME = timedelta(minutes=15)
# How long a browser stays signed in.
SIGN_IN_LIFETIME = timedelta(hours=12)
ISSUER = "tillhouse"
AUDIENCE = "tillhouse-api"
# Signed and checked by the same service with the same key; no other algorithm is ever tried.
ALGORITHM = "HS256"
TYPE = "at+jwt"
# Neither passes for the other (RFC 8725, 3.11).
SESSION_TYPE = "tillhouse-session+jwt"
# Clocks of several machines differ a little.
LEEWAY_SECONDS = 10
_LONGEST = 4096

_OF_BOTH: dict[str, jwt.ClaimsOption] = {
    "iss": {"essential": True, "value": ISSUER},
    "aud": {"essential": True, "value": AUDIENCE},
    "sub": {"essential": True},
    "sid": {"essential": True},
    "exp": {"essential": True},
    "iat": {"essential": True},
    "jti": {"essential": True},
}
_session_claims = jwt.JWTClaimsRegistry(None, LEEWAY_SECONDS, **_OF_BOTH)
_access_claims = jwt.JWTClaimsRegistry(
    None, LEEWAY_SECONDS, **_OF_BOTH, scope={"essential": True, "allow_blank": True}
)


class InvalidToken(AccountError):
    """The token is no valid one of this service and of its kind; the message says no more than that."""


@dataclass(frozen=True)
class AccessToken:
    """What a valid access token says."""

    principal_id: UUID
    session_id: UUID
    scopes: frozenset[str]


@dataclass(frozen=True)
class SessionToken:
    """What the cookie of a browser says: whose session it is. What that account may is not in it."""

    principal_id: UUID
    session_id: UUID


def write_token(key: bytes, token: AccessToken) -> str:
    """An access token, valid from now on for ``LIFETIME``."""
    return _write(key, TYPE, LIFETIME, token, {"scope": " ".join(sorted(token.scopes))})


def write_session_token(key: bytes, token: SessionToken) -> str:
    """The content of a cookie, valid from now on for ``SIGN_IN_LIFETIME``."""
    return _write(key, SESSION_TYPE, SIGN_IN_LIFETIME, token, {})


def read_token(key: bytes, text: str) -> AccessToken:
    """What an access token says, its signature, type, times, issuer and audience checked.

    Raises:
        InvalidToken: it is not valid.
    """
    claims = _read(key, TYPE, _access_claims, text)
    return AccessToken(UUID(claims["sub"]), UUID(claims["sid"]), frozenset(str(claims["scope"]).split()))


def read_session_token(key: bytes, text: str) -> SessionToken:
    """What a cookie says, checked in the same way.

    Raises:
        InvalidToken: it is not valid.
    """
    claims = _read(key, SESSION_TYPE, _session_claims, text)
    return SessionToken(UUID(claims["sub"]), UUID(claims["sid"]))


def _write(
    key: bytes, kind: str, lifetime: timedelta, token: AccessToken | SessionToken, more: dict[str, str]
) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(token.principal_id),
        "sid": str(token.session_id),
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
        "jti": str(uuid4()),
    } | more
    return jwt.encode({"alg": ALGORITHM, "typ": kind}, claims, OctKey.import_key(key), algorithms=[ALGORITHM])


def _read(key: bytes, kind: str, registry: jwt.JWTClaimsRegistry, text: str) -> dict[str, Any]:
    """The checked claims of a token; ``sub`` and ``sid`` are texts of UUIDs.

    Raises:
        InvalidToken: it is not valid.
    """
    if len(text) > _LONGEST:
        raise InvalidToken("the token is too long")
    try:
        token = jwt.decode(text, OctKey.import_key(key), algorithms=[ALGORITHM])
        registry.validate(token.claims)
        if token.header.get("typ") != kind:
            raise InvalidToken("the token is of another kind")
        for name in ("sub", "sid"):
            UUID(token.claims[name])
    # Beside its own errors, the library lets those of bytes, JSON and deeply nested texts through.
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise InvalidToken("the token is not valid or has expired") from error
    return token.claims
