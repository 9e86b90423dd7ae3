"""Logging in by a name and a secret: what the API's tokens and the browsers' sign-in have in common."""

from api import audit
from api.services import services
from pipeline.accounts.passwords import is_right
from pipeline.accounts.principals import Account, find_login
from pipeline.accounts.roles import Kind


def checked(kind: Kind, name: str, secret: str) -> tuple[Account, str] | None:
    """The account of a name whose secret is right, and the hash it was checked against; None for any other.

    The account, right or wrong, is what the record of this request is about.
    """
    with services().database.writing() as connection:
        found = find_login(connection, kind, name)
    # Outside the transaction: a hash takes long. It is computed for unknown names too.
    account, secret_hash = found or (None, None)
    if account is not None:
        audit.about(account.name)
    return found if is_right(secret_hash, secret) else None
