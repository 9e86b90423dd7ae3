"""Access tokens: signed, short-lived JSON Web Tokens (RFC 7519, RFC 9068)."""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from pipeline.accounts.errors import AccountError

LIFETIME = timedelta(minutes=15)
ISSUER = "tillhouse"
AUDIENCE = "tillhouse-api"
# Signed and checked by the same service with the same key; no other algorithm is ever tried.
ALGORITHM = "HS256"
TYPE = "at+jwt"
# Clocks of several machines differ a little.
LEEWAY_SECONDS = 10
_LONGEST = 4096

_claims = jwt.JWTClaimsRegistry(
    leeway=LEEWAY_SECONDS,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
    sid={"essential": True},
    exp={"essential": True},
    iat={"essential": True},
    jti={"essential": True},
    scope={"essential": True, "allow_blank": True},
)


class InvalidToken(AccountError):
    """The token is no valid access token of this service; the message says no more than that."""


@dataclass(frozen=True)
class AccessToken:
    """What a valid access token says."""

    principal_id: UUID
    session_id: UUID
    scopes: frozenset[str]


def write_token(key: bytes, token: AccessToken) -> str:
    """An access token, valid from now on for ``LIFETIME``."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(token.principal_id),
        "sid": str(token.session_id),
        "scope": " ".join(sorted(token.scopes)),
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "jti": str(uuid4()),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, OctKey.import_key(key), algorithms=[ALGORITHM])


def read_token(key: bytes, text: str) -> AccessToken:
    """What an access token says, its signature, type, times, issuer and audience checked.

    Raises:
        InvalidToken: it is not valid.
    """
    if len(text) > _LONGEST:
        raise InvalidToken("the access token is too long")
    try:
        token = jwt.decode(text, OctKey.import_key(key), algorithms=[ALGORITHM])
        _claims.validate(token.claims)
        if token.header.get("typ") != TYPE:
            raise InvalidToken("the token is no access token")
        scopes = frozenset(str(token.claims["scope"]).split())
        return AccessToken(UUID(token.claims["sub"]), UUID(token.claims["sid"]), scopes)
    # Beside its own errors, the library lets those of bytes, JSON and deeply nested texts through.
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise InvalidToken("the access token is not valid or has expired") from error
