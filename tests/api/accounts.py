"""Accounts for tests of the API: made as the command line makes them, logged in without a password."""

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.accounts.principals import add_account, find_account
from pipeline.accounts.roles import Kind, Role
from pipeline.accounts.sessions import begin_session
from pipeline.accounts.tokens import AccessToken, write_token
from pipeline.warehouse.connect import connect
from pipeline.warehouse.passwords import signing_key
from tests.conftest import Warehouse

PASSWORD = "four unrelated words"


class Accounts:
    """The accounts of a test's warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.urls = warehouse.urls
        self.key = signing_key(warehouse.settings.home)

    def add(
        self, name: str, role: Role = "viewer", regions: Sequence[str] = (), kind: Kind = "user"
    ) -> dict[str, str]:
        """Make an account; the header with an access token of it."""
        self.secret_of(name, role, regions, kind)
        return self.token(name)

    def secret_of(
        self, name: str, role: Role = "viewer", regions: Sequence[str] = (), kind: Kind = "client"
    ) -> str:
        """Make an account; its secret, or a user's password."""
        with connect(self.urls.owner) as connection:
            password = PASSWORD if kind == "user" else None
            return add_account(connection, name, kind, role, regions, password)

    def token(self, name: str, scopes: frozenset[str] | None = None) -> dict[str, str]:
        """Log in anew; the header with an access token."""
        with connect(self.urls.owner) as connection:
            session = begin_session(connection, find_account(connection, name), scopes)
        assert session is not None
        token = AccessToken(session.account.principal_id, session.session_id, session.granted)
        return {"Authorization": f"Bearer {write_token(self.key, token)}"}

    def change(self, by: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Change an account by a function of the package."""
        with connect(self.urls.owner) as connection:
            by(connection, *arguments, **options)

    def audit(self) -> list[tuple[Any, ...]]:
        """Who, action, target, outcome, status and code of every write on record, in order."""
        with connect(self.urls.owner) as connection:
            return connection.execute(
                "select principal_name, action, target, outcome, status, code"
                " from app.audit order by audit_id"
            ).fetchall()
