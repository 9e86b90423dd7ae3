"""The roles of readers and of the service: made, limited, and given their rights."""

from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from pipeline.warehouse.connect import APP, READER
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import password_for, saved_password

Connection = psycopg.Connection[TupleRow]

# The service asks who is who: it cannot make itself somebody else, nor rewrite what was done.
_SERVICE_LIMITS = (
    "revoke insert, update on app.principals from {role}",
    "grant update (last_used_at) on app.principals to {role}",
    "revoke update on app.audit from {role}",
    "grant update (principal_id, principal_name, target, outcome, status, code, finished_at)"
    " on app.audit to {role}",
    "grant delete on app.sessions, app.refresh_tokens to {role}",
)


def role_exists(connection: Connection, role: str) -> bool:
    """Whether the server has a role of this name."""
    return connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is not None


def create_login(connection: Connection, role: str, password: str) -> None:
    """Make a role that may log in and nothing else."""
    connection.execute(
        sql.SQL("create role {} login nosuperuser nocreatedb nocreaterole password {}").format(
            sql.Identifier(role), sql.Literal(password)
        )
    )


def ensure_login(connection: Connection, home: Path, role: str, variable: str) -> None:
    """Make a login role with the password kept in the home folder, unless it is there.

    Raises:
        WarehouseError: the server has the role but this home does not know its password.
    """
    if not role_exists(connection, role):
        create_login(connection, role, password_for(home, role))
    elif saved_password(home, role) is None:
        raise WarehouseError(
            f"the server has a role {role} already, made from another runtime folder: set {variable} to its "
            f"address with its password; or, when nothing uses it any more, remove it there with\n"
            f"  drop owned by {role}; drop role {role};"
        )


def limit_reader(connection: Connection, statement_timeout_seconds: int) -> None:
    """Let the reader's sessions start read-only and with a limit to each statement."""
    wanted = {
        "default_transaction_read_only": "on",
        "statement_timeout": f"{statement_timeout_seconds}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    row = connection.execute("select rolconfig from pg_roles where rolname = %s", (READER,)).fetchone()
    current = dict(entry.split("=", 1) for entry in (row[0] if row and row[0] else []))
    for name, value in wanted.items():
        if current.get(name) != value:
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    sql.Identifier(READER), sql.Identifier(name), sql.Literal(value)
                )
            )


def are_rights_given(connection: Connection, reader: str, app: str) -> bool:
    """Whether the roles can do already what `give_rights` lets them do."""
    row = connection.execute(
        """
        select
            has_schema_privilege(%(reader)s, 'core', 'usage')
            and has_schema_privilege(%(reader)s, 'marts', 'usage')
            and has_table_privilege(%(reader)s, 'core.builds', 'select')
            and has_schema_privilege(%(app)s, 'app', 'usage')
            and has_table_privilege(%(app)s, 'app.jobs', 'update')
            and has_table_privilege(%(app)s, 'app.sessions', 'delete')
            and (%(app)s = %(owner)s or not has_table_privilege(%(app)s, 'app.principals', 'insert'))
        """,
        {"reader": reader, "app": app, "owner": connection.info.user},
    ).fetchone()
    return bool(row and row[0])


def give_rights(connection: Connection, reader: str, app: str) -> None:
    """Give both roles their rights, on the tables there are and on those that the owner makes later.

    Granting rewrites catalog rows even when nothing changes, and collides with whoever alters the
    same tables: call it only when `are_rights_given` is false.
    """
    for schema in ("core", "marts"):
        _grant(connection, schema, reader, sql.SQL("select"))
    _grant(connection, "app", app, sql.SQL("select, insert, update"))
    if app != connection.info.user:
        for statement in _SERVICE_LIMITS:
            connection.execute(sql.SQL(statement).format(role=sql.Identifier(app)))


def _grant(connection: Connection, schema: str, role: str, rights: sql.SQL) -> None:
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role), "rights": rights}
    for statement in (
        "grant usage on schema {schema} to {role}",
        "grant {rights} on all tables in schema {schema} to {role}",
        "alter default privileges in schema {schema} grant {rights} on tables to {role}",
    ):
        connection.execute(sql.SQL(statement).format(**names))


__all__ = [
    "APP",
    "READER",
    "are_rights_given",
    "create_login",
    "ensure_login",
    "give_rights",
    "limit_reader",
    "role_exists",
]
