"""Where the databases are, and connections to them."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from pipeline.settings import Settings
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import saved_password
from pipeline.warehouse.urls import build_url, parse_url

OWNER = "tillhouse"
READER = "tillhouse_reader"
APP = "tillhouse_app"
DATABASE = "tillhouse"

_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class DatabaseUrls:
    """Addresses (libpq URLs) by who asks: each connects as a role of its own.

    Attributes:
        owner: owns every table; lands, builds, publishes.
        reader: reads `core` and `marts`.
        app: reads and writes the service's own tables in `app`.
        dagster: Dagster's own database.
    """

    owner: str
    reader: str
    app: str
    dagster: str

    def __repr__(self) -> str:
        """No addresses: they hold passwords."""
        return "DatabaseUrls(…)"


def database_urls(settings: Settings) -> DatabaseUrls:
    """The addresses for these settings: of `DATABASE_URL`, or else of the running embedded server.

    Connects to nothing, and changes nothing.

    Raises:
        WarehouseError: the embedded server does not run, the warehouse was never prepared, or an
            address is malformed.
    """
    if settings.database_url is not None:
        return _external_urls(settings, settings.database_url)
    server = EmbeddedServer(settings.home)
    return DatabaseUrls(
        owner=server.url(OWNER, DATABASE),
        reader=server.url(READER, DATABASE),
        app=server.url(APP, DATABASE),
        dagster=server.url(OWNER, f"{DATABASE}_dagster"),
    )


def connect(
    url: str, *, autocommit: bool = False, application_name: str = "tillhouse"
) -> psycopg.Connection[TupleRow]:
    """Open a connection whose rows are plain tuples.

    Raises:
        WarehouseError: the server cannot be reached or refuses; names the server, never the password.
    """
    try:
        return psycopg.connect(
            url,
            autocommit=autocommit,
            application_name=application_name,
            connect_timeout=_CONNECT_SECONDS,
        )
    except psycopg.OperationalError as error:
        where = parse_url(url, "the database's address")
        server = f"{where.get('host', 'the local socket')}:{where.get('port', '5432')}"
        raise WarehouseError(
            f"cannot connect to database {where['dbname']!r} at {server} "
            f"as {where.get('user', '(no user)')!r}: {str(error).strip()}"
        ) from error


def _external_urls(settings: Settings, owner_url: str) -> DatabaseUrls:
    owner = parse_url(owner_url, "DATABASE_URL")
    return DatabaseUrls(
        owner=build_url(owner),
        reader=_role_url(settings.home, owner, READER, settings.reader_database_url),
        app=_role_url(settings.home, owner, APP, settings.app_database_url),
        dagster=(
            build_url(parse_url(settings.dagster_database_url, "DAGSTER_DATABASE_URL"))
            if settings.dagster_database_url
            else build_url({**owner, "dbname": f"{owner['dbname']}_dagster"})
        ),
    )


def _role_url(home: Path, owner: dict[str, str], role: str, given: str | None) -> str:
    variable = f"{role.upper()}_DATABASE_URL"
    if given:
        return build_url(parse_url(given, variable))
    password = saved_password(home, role)
    if password is None:
        raise WarehouseError(
            f"the role {role} was not made from {home} yet: run `tillhouse up` or `tillhouse load` "
            f"there, or set {variable}"
        )
    return build_url({**owner, "user": role, "password": password})
