"""Users and clients: made, found, changed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from pipeline.accounts.errors import AccountError
from pipeline.accounts.passwords import check_password, hash_password, new_secret
from pipeline.accounts.roles import LIMITED_ROLE, ROLES, Kind, Role

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
# Names that the service gives itself in its records.
RESERVED = frozenset(("local", "anonymous"))


@dataclass(frozen=True)
class Account:
    """A user or a client of the API. ``regions`` None sees every region; times are UTC."""

    principal_id: UUID
    kind: Kind
    name: str
    role: Role
    regions: list[str] | None
    is_active: bool
    created_at: datetime
    last_used_at: datetime | None

    @property
    def scopes(self) -> frozenset[str]:
        """What its role may."""
        return ROLES[self.role]


COLUMNS = sql.SQL("principal_id, kind, name, role, regions, is_active, created_at, last_used_at")
_FIND = sql.SQL("select {} from app.principals where name = %s").format(COLUMNS)
_LIST = sql.SQL("select {} from app.principals order by name").format(COLUMNS)


def add_account(
    connection: Connection[TupleRow],
    name: str,
    kind: Kind,
    role: Role,
    regions: Sequence[str],
    password: str | None = None,
) -> str:
    """Make an account.

    Args:
        connection: the owner's.
        name: unique among users and clients.
        kind: a user logs in with a password, a client with a secret that is made here.
        role: what it may do.
        regions: the only ones that it sees; empty for all of them.
        password: a user's; a client has none of its own choice.

    Returns:
        The password or the secret.

    Raises:
        AccountError: the name, the password or the limits cannot be used, or the name is taken.
    """
    if not NAME.fullmatch(name) or name in RESERVED:
        raise AccountError(
            f"{name!r} cannot be an account's name: use 1 to 64 lower-case letters, digits, '.', '_', '-', "
            f"'@', beginning with a letter or digit, and not {' or '.join(sorted(RESERVED))}"
        )
    _check_limits(name, role, regions)
    secret = _checked(name, kind, password)
    try:
        connection.execute(
            "insert into app.principals (kind, name, secret_hash, role, regions) values (%s, %s, %s, %s, %s)",
            (kind, name, hash_password(secret), role, list(regions) or None),
        )
    except psycopg.errors.UniqueViolation as error:
        raise AccountError(
            f"there is an account {name} already: see `tillhouse user list`, or take another name"
        ) from error
    return secret


def find_account(connection: Connection[TupleRow], name: str) -> Account:
    """The account of this name.

    Raises:
        AccountError: there is none.
    """
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        found = cursor.execute(_FIND, (name,)).fetchone()
    if found is None:
        raise AccountError(f"there is no account {name}: see `tillhouse user list`")
    return found


def list_accounts(connection: Connection[TupleRow]) -> list[Account]:
    """Every account, by name."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_LIST).fetchall()


def find_login(connection: Connection[TupleRow], kind: Kind, name: str) -> tuple[Account, str] | None:
    """The active account of a name as it was typed, with its secret's hash; None when there is none."""
    if not NAME.fullmatch(name := name.lower()):
        return None
    row = connection.execute(
        "select secret_hash from app.principals where name = %s and kind = %s and is_active", (name, kind)
    ).fetchone()
    return (find_account(connection, name), row[0]) if row else None


def set_role(connection: Connection[TupleRow], name: str, role: Role) -> None:
    """Give an account another role; it holds from its next request on.

    Raises:
        AccountError: there is no such account, or it is limited to regions and the role cannot be.
    """
    _check_limits(name, role, _locked(connection, name).regions or ())
    connection.execute("update app.principals set role = %s where name = %s", (role, name))


def set_regions(connection: Connection[TupleRow], name: str, regions: Sequence[str]) -> None:
    """Limit an account to regions, or to none when empty; it holds from its next request on.

    Raises:
        AccountError: there is no such account, or its role cannot be limited.
    """
    _check_limits(name, _locked(connection, name).role, regions)
    connection.execute(
        "update app.principals set regions = %s where name = %s", (list(regions) or None, name)
    )


def set_active(connection: Connection[TupleRow], name: str, *, is_active: bool) -> None:
    """Let an account in again, or keep it out; what it was logged in with ends at once.

    Raises:
        AccountError: there is no such account.
    """
    account = _locked(connection, name)
    connection.execute(
        "update app.principals set is_active = %s where principal_id = %s", (is_active, account.principal_id)
    )
    if not is_active:
        _end_sessions(connection, account)


def set_password(connection: Connection[TupleRow], name: str, password: str | None = None) -> str:
    """Give a user another password or a client another secret; what it was logged in with ends at once.

    Returns:
        The password or the secret.

    Raises:
        AccountError: there is no such account, or the password cannot be used.
    """
    account = _locked(connection, name)
    secret = _checked(name, account.kind, password)
    connection.execute(
        "update app.principals set secret_hash = %s where principal_id = %s",
        (hash_password(secret), account.principal_id),
    )
    _end_sessions(connection, account)
    return secret


def _checked(name: str, kind: Kind, password: str | None) -> str:
    if kind == "client":
        if password is not None:
            raise AccountError(f"{name} is a client: its secret is made, not chosen")
        return new_secret()
    if password is None:
        raise AccountError(f"{name} is a user and needs a password")
    check_password(name, password)
    return password


def _check_limits(name: str, role: Role, regions: Sequence[str]) -> None:
    if regions and role != LIMITED_ROLE:
        raise AccountError(
            f"{name} cannot be {role} and limited to regions: what {role} may do concerns every region. Only "
            f"the role {LIMITED_ROLE} can be limited (`tillhouse user regions {name} --all` lifts the limit)"
        )
    if any(not region.strip() or "\0" in region for region in regions):
        raise AccountError("a region is a name as the sales files have it, not an empty text")


def _locked(connection: Connection[TupleRow], name: str) -> Account:
    # Two commands on one account, one for its role and one for its regions, must see each other.
    connection.execute("select 1 from app.principals where name = %s for update", (name,))
    return find_account(connection, name)


def _end_sessions(connection: Connection[TupleRow], account: Account) -> None:
    connection.execute(
        "update app.sessions set revoked_at = now() where principal_id = %s and revoked_at is null",
        (account.principal_id,),
    )
