"""The record of every write: who, what, when, from where, and what became of it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

Outcome = Literal["succeeded", "denied", "failed"]


@dataclass(frozen=True)
class Attempt:
    """Somebody is about to write.

    Attributes:
        principal_id: None for callers without an account.
        principal_name: the account, or the user of the terminal.
        action: the method and the route, or the command; never a secret.
        target: what it is done to.
        request_id: the request's, under which the log has it.
        address: where the request came from.
    """

    principal_id: UUID | None
    principal_name: str
    action: str
    target: str | None = None
    request_id: UUID | None = None
    address: str | None = None


def begin(connection: Connection[TupleRow], attempt: Attempt) -> int:
    """Write down that something is about to be done; its outcome stays null until `finish`."""
    row = connection.execute(
        """
        insert into app.audit (principal_id, principal_name, action, target, request_id, address)
        values (%(principal_id)s, %(principal_name)s, %(action)s, %(target)s, %(request_id)s, %(address)s)
        returning audit_id
        """,
        vars(attempt),
    ).fetchone()
    assert row is not None
    return int(row[0])


def finish(
    connection: Connection[TupleRow],
    audit_id: int,
    attempt: Attempt,
    outcome: Outcome,
    status: int | None = None,
    code: str | None = None,
) -> None:
    """Write down what became of it, and who and what it turned out to be.

    Args:
        connection: one that may write the service's own tables.
        audit_id: what `begin` gave.
        attempt: as it is known now: a login knows its principal only when it is done.
        outcome: how it ended.
        status: the answer's HTTP status.
        code: the code of the answer's problem.
    """
    connection.execute(
        """
        update app.audit
        set
            principal_id = %(principal_id)s, principal_name = %(principal_name)s, target = %(target)s,
            outcome = %(outcome)s, status = %(status)s, code = %(code)s, finished_at = now()
        where audit_id = %(audit_id)s and outcome is null
        """,
        {**vars(attempt), "outcome": outcome, "status": status, "code": code, "audit_id": audit_id},
    )


@contextlib.contextmanager
def recorded(connection: Connection[TupleRow], attempt: Attempt) -> Iterator[None]:
    """Do something in one transaction with the word that it succeeded; what failed is recorded too.

    Args:
        connection: in autocommit mode, so that the attempt is on record before it is made.
        attempt: what is about to be done.
    """
    audit_id = begin(connection, attempt)
    try:
        with connection.transaction():
            yield
            finish(connection, audit_id, attempt, "succeeded")
    except BaseException:
        finish(connection, audit_id, attempt, "failed")
        raise
