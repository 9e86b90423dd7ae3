"""The cookie of a browser that has signed in: whose session it is, signed; nothing else.

Scripts cannot read it, and other sites' pages cannot send it along with a form or a request of theirs.
"""

from collections.abc import Callable

from flask import Response, request

from pipeline.accounts.tokens import (
    SIGN_IN_LIFETIME,
    InvalidToken,
    SessionToken,
    read_session_token,
    write_session_token,
)

NAME = "tillhouse_session"


def shown(key: Callable[[], bytes]) -> SessionToken | None:
    """What the request's cookie says; None without one, or with one that is not valid or has expired."""
    text = request.cookies.get(_name())
    if text is None:
        return None
    try:
        return read_session_token(key(), text)
    except InvalidToken:
        return None


def give(response: Response, key: bytes, token: SessionToken) -> None:
    """Let the browser keep who has signed in."""
    response.set_cookie(
        _name(),
        write_session_token(key, token),
        max_age=SIGN_IN_LIFETIME,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def take_back(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(_name(), secure=request.is_secure, httponly=True, samesite="Lax")


def _name() -> str:
    # With this prefix browsers take it by https alone, and from no other host (RFC 6265bis, 4.1.3).
    return f"__Host-{NAME}" if request.is_secure else NAME
