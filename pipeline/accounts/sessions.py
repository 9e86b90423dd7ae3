"""Sessions: what a login began, continued by refresh tokens, and ended at once when need be.

A refresh token works once. One that comes again was stolen, or its thief was here first: nobody
can tell, so the whole session ends (RFC 9700, section 4.14.2).
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from pipeline.accounts.principals import COLUMNS, Account
from pipeline.accounts.tokens import LIFETIME

REFRESH_LIFETIME = timedelta(days=30)
# However often it is continued, a login ends after this long.
SESSION_LIFETIME = timedelta(days=90)

log = logging.getLogger("tillhouse.accounts")

_CALLER = sql.SQL(
    """
    select {}
    from app.sessions inner join app.principals using (principal_id)
    where
        session_id = %s and principal_id = %s and is_active
        and revoked_at is null and ends_at > now()
    """
).format(COLUMNS)

_OF_TOKEN = """
    select session_id, principal_id, scopes
    from app.refresh_tokens inner join app.sessions using (session_id)
    where token_hash = %s
"""


@dataclass(frozen=True)
class Session:
    """A login that holds; ``scopes`` None has all that the role has, ``refresh_token`` continues it once."""

    session_id: UUID
    account: Account
    scopes: frozenset[str] | None
    refresh_token: str | None

    @property
    def granted(self) -> frozenset[str]:
        """The scopes of its access tokens."""
        return self.account.scopes if self.scopes is None else self.account.scopes & self.scopes


def begin_session(
    connection: Connection[TupleRow],
    account: Account,
    scopes: frozenset[str] | None = None,
    secret_hash: str | None = None,
    lasts: timedelta | None = None,
) -> Session | None:
    """Begin a session; a user's can be continued, a client has its secret for that (RFC 6749, 4.4.3).

    Args:
        connection: one that may write the service's own tables.
        account: who logged in.
        scopes: the only ones asked for; None for all that the role has, whatever it will be.
        secret_hash: what the password was checked against.
        lasts: how long, for one that ends then and cannot be continued, as a browser's.

    Returns:
        None when the account was disabled or got another password in the meantime.
    """
    if not _lock(connection, account.principal_id, secret_hash):
        return None
    is_continued = account.kind == "user" and lasts is None
    _forget_ended(connection)
    row = connection.execute(
        """
        insert into app.sessions (principal_id, scopes, ends_at)
        values (%s, %s, now() + %s)
        returning session_id
        """,
        (
            account.principal_id,
            None if scopes is None else sorted(scopes),
            lasts or (REFRESH_LIFETIME if is_continued else LIFETIME),
        ),
    ).fetchone()
    assert row is not None
    token = _issue(connection, row[0]) if is_continued else None
    return Session(row[0], account, scopes, token)


def renew_session(connection: Connection[TupleRow], refresh_token: str) -> Session | None:
    """Exchange a refresh token for the next one; None when it is not valid.

    The caller commits in either case: a token that was used before ends its session here.
    """
    token_hash = _hash(refresh_token)
    row = connection.execute(_OF_TOKEN, (token_hash,)).fetchone()
    if row is None:
        return None
    session_id, principal_id, scopes = row
    if not _lock(connection, principal_id):
        return None
    used = connection.execute(
        """
        update app.refresh_tokens
        set used_at = now()
        where token_hash = %s and used_at is null and expires_at > now()
        """,
        (token_hash,),
    )
    if used.rowcount == 0:
        _end_replayed(connection, token_hash)
        return None
    account = find_caller(connection, session_id, principal_id)
    if account is None:
        return None
    connection.execute(
        "delete from app.refresh_tokens where session_id = %s and expires_at < now()", (session_id,)
    )
    connection.execute(
        "update app.sessions set ends_at = least(now() + %s, started_at + %s) where session_id = %s",
        (REFRESH_LIFETIME, SESSION_LIFETIME, session_id),
    )
    token = _issue(connection, session_id)
    return Session(session_id, account, None if scopes is None else frozenset(scopes), token)


def find_caller(connection: Connection[TupleRow], session_id: UUID, principal_id: UUID) -> Account | None:
    """The active account of a session that was not ended."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_CALLER, (session_id, principal_id)).fetchone()


def session_of(connection: Connection[TupleRow], refresh_token: str) -> UUID | None:
    """The session that a refresh token belongs to, used or not."""
    row = connection.execute(_OF_TOKEN, (_hash(refresh_token),)).fetchone()
    return row[0] if row else None


def end_session(connection: Connection[TupleRow], session_id: UUID) -> None:
    """End a session: neither its access tokens nor its refresh tokens work any more."""
    connection.execute(
        "update app.sessions set revoked_at = now() where session_id = %s and revoked_at is null",
        (session_id,),
    )


def _end_replayed(connection: Connection[TupleRow], token_hash: bytes) -> None:
    row = connection.execute(
        """
        update app.sessions
        set revoked_at = now()
        from app.refresh_tokens
        where token_hash = %s and used_at is not null and sessions.revoked_at is null
            and refresh_tokens.session_id = sessions.session_id
        returning sessions.session_id
        """,
        (token_hash,),
    ).fetchone()
    if row is not None:
        log.warning("a refresh token was used a second time: its session %s is ended", row[0])


def _issue(connection: Connection[TupleRow], session_id: UUID) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(
        "insert into app.refresh_tokens (token_hash, session_id, expires_at)"
        " select %s, session_id, least(now() + %s, started_at + %s) from app.sessions where session_id = %s",
        (_hash(token), REFRESH_LIFETIME, SESSION_LIFETIME, session_id),
    )
    return token


def _hash(token: str) -> bytes:
    # 256 random bits cannot be guessed, so a fast hash keeps them as well as a slow one.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _lock(connection: Connection[TupleRow], principal_id: UUID, secret_hash: str | None = None) -> bool:
    """Keep an account as it is until the transaction ends; False when it is not active, or has another hash.

    Whoever changes an account locks it first as well: a new password ends every session that began before.
    """
    locked = connection.execute(
        """
        update app.principals
        set last_used_at = now()
        where principal_id = %(id)s and is_active and secret_hash = coalesce(%(hash)s, secret_hash)
        """,
        {"id": principal_id, "hash": secret_hash},
    )
    return locked.rowcount == 1


def _forget_ended(connection: Connection[TupleRow]) -> None:
    connection.execute(
        """
        delete from app.sessions
        where session_id in (
            select session_id from app.sessions
            where ends_at < now() - interval '1 day'
            limit 1000
            for update skip locked
        )
        """
    )
