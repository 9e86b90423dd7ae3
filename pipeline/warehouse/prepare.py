"""Make the warehouse ready to be used: server, roles, databases, tables, rights."""

import contextlib
from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from pipeline.settings import Settings
from pipeline.warehouse.connect import APP, DATABASE, OWNER, READER, DatabaseUrls, connect, database_urls
from pipeline.warehouse.embedded import SUPERUSER, EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.locks import PREPARE_LOCK
from pipeline.warehouse.migrate import applied_revision, newest_revision, upgrade
from pipeline.warehouse.passwords import password_for, signing_key
from pipeline.warehouse.place import make_home
from pipeline.warehouse.roles import (
    are_rights_given,
    create_login,
    ensure_login,
    give_rights,
    limit_reader,
    role_exists,
)
from pipeline.warehouse.urls import parse_url

Connection = psycopg.Connection[TupleRow]


def ensure_warehouse(settings: Settings, say: Callable[[str], None]) -> DatabaseUrls:
    """Make the warehouse ready and return its addresses.

    Starts the embedded server unless `DATABASE_URL` is set, makes the roles, Dagster's database and the
    key of access tokens, applies migrations, gives rights. What is there already is left as it is;
    processes that call this at once wait for each other.

    Args:
        settings: which home and which databases.
        say: told, one line at a time, what a user should know.

    Raises:
        WarehouseError: something is missing; the message names it, and the SQL where there is some.
    """
    make_home(settings.home)
    if settings.database_url is None:
        _prepare_embedded(settings, say)
    else:
        _prepare_external(settings)
    signing_key(settings.home)
    urls = database_urls(settings)
    prepare_database(urls)
    return urls


def prepare_database(urls: DatabaseUrls) -> None:
    """Apply migrations to the owner's database and give the two roles their rights."""
    reader = parse_url(urls.reader, "the reader's address")["user"]
    app = parse_url(urls.app, "the service's address")["user"]
    with connect(urls.owner, autocommit=True) as connection, _prepare_lock(connection):
        applied, newest = applied_revision(connection), newest_revision()
        if applied is not None and applied > newest:
            raise WarehouseError(
                f"the database is at migration {applied}, this Tillhouse knows only {newest}: "
                "use the newer version that made it"
            )
        if applied != newest:
            upgrade(urls.owner)
        if not are_rights_given(connection, reader, app):
            with connection.transaction():
                give_rights(connection, reader, app)


def _prepare_embedded(settings: Settings, say: Callable[[str], None]) -> None:
    server = EmbeddedServer(settings.home, say)
    server.start()
    with connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection, _prepare_lock(connection):
        for role in (OWNER, READER, APP):
            if not role_exists(connection, role):
                create_login(connection, role, password_for(settings.home, role))
        limit_reader(connection, settings.statement_timeout_seconds)
        for name in (DATABASE, f"{DATABASE}_dagster"):
            if not _database_exists(connection, name):
                _create_database(connection, name, OWNER)
        _restrict_connections(connection)


def _restrict_connections(connection: Connection) -> None:
    """Keep each role to the databases that it needs."""
    row = connection.execute(
        "select has_database_privilege(%s, %s, 'connect')", (READER, f"{DATABASE}_dagster")
    ).fetchone()
    if row and not row[0]:
        return
    with connection.transaction():
        for name in (DATABASE, f"{DATABASE}_dagster"):
            connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("grant connect on database {} to {}, {}").format(
                sql.Identifier(DATABASE), sql.Identifier(READER), sql.Identifier(APP)
            )
        )


def _prepare_external(settings: Settings) -> None:
    """Make, on a Postgres that is not ours, what its settings do not name."""
    assert settings.database_url is not None
    owner = parse_url(settings.database_url, "DATABASE_URL")
    with connect(settings.database_url, autocommit=True) as connection, _prepare_lock(connection):
        _demand_create(connection)
        if not settings.reader_database_url:
            _ensure_role(connection, settings, READER, "TILLHOUSE_READER_DATABASE_URL")
            with _explained(
                f"alter the role {READER}",
                f"alter role {READER} set default_transaction_read_only = on; alter role {READER} set "
                f"statement_timeout = '{settings.statement_timeout_seconds}s'; "
                f"alter role {READER} set idle_in_transaction_session_timeout = '60s';",
            ):
                limit_reader(connection, settings.statement_timeout_seconds)
        if not settings.app_database_url:
            _ensure_role(connection, settings, APP, "TILLHOUSE_APP_DATABASE_URL")
        dagster = f"{owner['dbname']}_dagster"
        if not settings.dagster_database_url and not _database_exists(connection, dagster):
            user = _current_user(connection)
            statement = sql.SQL("create database {} owner {};").format(
                sql.Identifier(dagster), sql.Identifier(user)
            )
            with _explained(
                "make Dagster's own database (CREATEDB)",
                statement.as_string(connection),
                "or set DAGSTER_DATABASE_URL",
            ):
                _create_database(connection, dagster, user)


def _ensure_role(connection: Connection, settings: Settings, role: str, variable: str) -> None:
    statement = f"create role {role} login password '<a password>';"
    with _explained(f"make the role {role} (CREATEROLE)", statement, f"and set {variable} to its address"):
        ensure_login(connection, settings.home, role, variable)


def _demand_create(connection: Connection) -> None:
    """Refuse a role that could not make the schemas."""
    row = connection.execute(
        """
        select
            current_database(),
            current_user,
            has_database_privilege(current_database(), 'create'),
            to_regnamespace('raw') is not null
        """
    ).fetchone()
    assert row is not None
    database, user, may_create, is_made = row
    if not may_create and not is_made:
        statement = sql.SQL("grant create on database {} to {};").format(
            sql.Identifier(str(database)), sql.Identifier(str(user))
        )
        raise WarehouseError(
            f"the role {user!r} of DATABASE_URL may not create schemas in the database {database!r}. "
            f"Run as an administrator:\n  {statement.as_string(connection)}"
        )


@contextlib.contextmanager
def _explained(action: str, statement: str, otherwise: str = "") -> Iterator[None]:
    """Turn a missing right into what to run instead."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"the role of DATABASE_URL may not {action}: {error.diag.message_primary}. "
            f"Run as an administrator:\n  {statement}" + (f"\n{otherwise}" if otherwise else "")
        ) from error


@contextlib.contextmanager
def _prepare_lock(connection: Connection) -> Iterator[None]:
    """Keep two preparations of one database apart."""
    connection.execute("select pg_advisory_lock(%s)", (PREPARE_LOCK,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", (PREPARE_LOCK,))


def _current_user(connection: Connection) -> str:
    row = connection.execute("select current_user").fetchone()
    assert row is not None
    return str(row[0])


def _database_exists(connection: Connection, name: str) -> bool:
    return connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None


def _create_database(connection: Connection, name: str, owner: str) -> None:
    connection.execute(
        sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner))
    )
