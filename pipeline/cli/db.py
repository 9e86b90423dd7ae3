"""`tillhouse db url|psql|stop|reset`."""

import os
import shutil

import click
from psycopg import sql

from pipeline.cli.output import say
from pipeline.errors import TillhouseError
from pipeline.settings import Settings, get_settings
from pipeline.supervisor.state import read_state
from pipeline.warehouse.binaries import wheel_programs
from pipeline.warehouse.connect import DatabaseUrls, connect
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.locks import refresh_lock
from pipeline.warehouse.prepare import ensure_warehouse
from pipeline.warehouse.urls import build_url, parse_url

_SCHEMAS = ("candidate", "marts", "core", "raw", "app", "migrations")
_ROLES = click.Choice(["owner", "reader", "app", "dagster"])


@click.group()
def db() -> None:
    """The database: its address, a shell, stop, reset."""


@db.command()
@click.option("--role", type=_ROLES, default="owner", show_default=True, help="Whose address.")
def url(*, role: str) -> None:
    """Print the database's address, with its password; starts the embedded server if need be."""
    click.echo(_url_of(ensure_warehouse(get_settings(), say), role))


@db.command(context_settings={"ignore_unknown_options": True})
@click.option("--role", type=_ROLES, default="owner", show_default=True, help="Whom to connect as.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(*, role: str, arguments: tuple[str, ...]) -> None:
    """Open a psql shell; ARGUMENTS go to psql (for example: -c "select 1")."""
    program = _find_psql()
    parameters = parse_url(_url_of(ensure_warehouse(get_settings(), say), role), "the address")
    # Other users of this machine see a process's arguments, but not its environment.
    environment = {**os.environ, "PGPASSWORD": parameters.pop("password", "")}
    os.execve(program, ["psql", build_url(parameters), *arguments], environment)


@db.command()
def stop() -> None:
    """Stop the embedded server."""
    settings = get_settings()
    server = _embedded(settings)
    _refuse_while_running(settings, "would be started again")
    if server.process() is None:
        click.echo("The database was not running.")
        return
    server.stop()
    click.echo("Stopped.")


@db.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, yes: bool) -> None:
    """Remove everything that was loaded and published, for good."""
    settings = get_settings()
    _refuse_while_running(settings, "is in use")
    what = "the embedded database" if settings.database_url is None else "every table in DATABASE_URL"
    if not yes:
        click.confirm(f"Remove {what}, all loaded data and all numbers for good?", abort=True)
    if settings.database_url is None:
        _reset_embedded(settings)
    else:
        _reset_external(settings)
    shutil.rmtree(settings.home / "dagster", ignore_errors=True)
    # Builds are numbered from 1 again.
    shutil.rmtree(settings.findings_folder, ignore_errors=True)
    click.echo("Removed. The next `tillhouse up` or `tillhouse load` begins anew.")


def _reset_embedded(settings: Settings) -> None:
    server = EmbeddedServer(settings.home, say)
    if server.process() is not None:
        # Nobody's landing or build is cut off.
        with refresh_lock(ensure_warehouse(settings, say).owner, wait=False):
            pass
    server.remove()


def _reset_external(settings: Settings) -> None:
    urls = ensure_warehouse(settings, say)
    with refresh_lock(urls.owner, wait=False), connect(urls.owner) as connection:
        for schema in _SCHEMAS:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
    say("Dagster's database keeps the history of runs.")


def _refuse_while_running(settings: Settings, why: str) -> None:
    if read_state(settings.home) is not None:
        raise WarehouseError(f"the services are running, the database {why}: run `tillhouse down` first")


def _embedded(settings: Settings) -> EmbeddedServer:
    if settings.database_url is not None:
        raise WarehouseError("DATABASE_URL is set: that server is not ours to stop")
    return EmbeddedServer(settings.home, say)


def _url_of(urls: DatabaseUrls, role: str) -> str:
    return {"owner": urls.owner, "reader": urls.reader, "app": urls.app, "dagster": urls.dagster}[role]


def _find_psql() -> str:
    try:
        program = wheel_programs() / "psql"
        if os.access(program, os.X_OK):
            return str(program)
    except WarehouseError:
        pass
    found = shutil.which("psql")
    if found is None:
        raise TillhouseError("psql is not installed: install it (Debian: apt-get install postgresql-client)")
    return found
