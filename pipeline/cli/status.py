"""`tillhouse status`."""

from typing import Any

import click
import psycopg

from pipeline.cli.database import Overview, read_overview
from pipeline.cli.output import print_json, print_table
from pipeline.settings import Settings, get_settings
from pipeline.supervisor.state import SupervisorState, read_state
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.place import read_place


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(*, as_json: bool) -> None:
    """Show services, builds, batches, and how far the data reaches. Starts nothing."""
    settings = get_settings()
    services = read_state(settings.home)
    database = describe_database(settings)
    overview = None
    if database["is_running"]:
        try:
            overview = read_overview(database_urls(settings).reader)
        except (psycopg.Error, WarehouseError) as error:
            database |= {"is_running": not isinstance(error, psycopg.OperationalError), "problem": str(error)}
    if as_json:
        print_json(_as_json(settings, services, database, overview))
    else:
        _print(settings, services, database, overview)


def describe_database(settings: Settings) -> dict[str, Any]:
    """Which Postgres is used, and, for the embedded one, whether it runs and where its files are."""
    if settings.database_url is not None:
        return {"kind": "external", "is_running": True, "data_folder": None, "pid": None, "problem": None}
    place = read_place(settings.home)
    process = EmbeddedServer(settings.home).process()
    return {
        "kind": "embedded",
        "is_running": process is not None,
        "data_folder": str(place.data) if place else None,
        "pid": process.pid if process else None,
        "problem": None,
    }


def _as_json(
    settings: Settings, services: SupervisorState | None, database: dict[str, Any], overview: Overview | None
) -> dict[str, Any]:
    return {
        "home": settings.home,
        "inbox": settings.inbox_folder,
        "status": services.status if services else "stopped",
        "pid": services.pid if services else None,
        "api_url": services.api_url if services else None,
        "dagster_url": services.dagster_url if services else None,
        "services": [service.model_dump() for service in services.services] if services else [],
        "database": database,
        "data": overview.data if overview else None,
        "builds": overview.builds if overview else None,
        "batches": overview.batches if overview else None,
    }


def _print(
    settings: Settings, services: SupervisorState | None, database: dict[str, Any], overview: Overview | None
) -> None:
    if services is None:
        click.echo("Services: stopped (start them with `tillhouse up`)")
    else:
        click.echo(f"Services: {services.status} (process {services.pid})")
        print_table(
            ["service", "status", "process", "restarts", "address"],
            [(one.name, one.status, one.pid, one.restarts, one.url) for one in services.services],
            right=["process", "restarts"],
        )
    running = "running" if database["is_running"] else "stopped"
    where = f", data in {database['data_folder']}" if database["data_folder"] else ""
    click.echo(f"Database: {database['kind']}, {running}{where}")
    if database["problem"]:
        click.echo(f"  {database['problem']}")
    click.echo(f"Inbox:    {settings.inbox_folder}")
    if overview is not None:
        _print_overview(overview)


def _print_overview(overview: Overview) -> None:
    data = overview.data
    if data["build_id"] is None:
        click.echo("Data:     no numbers published yet: load a file with `tillhouse load`")
    else:
        click.echo(
            f"Data:     sales from {data['first_sale_date']} to {data['last_sale_date']}, "
            f"published by build {data['build_id']} at {_minute(data['built_at'])}"
        )
    if overview.builds:
        print_table(
            ["build", "status", "kind", "data as of", "started", "by", "message"],
            [
                (
                    row["build_id"],
                    row["status"],
                    "full" if row["is_full"] else "delta",
                    row["data_as_of"],
                    _minute(row["started_at"]),
                    row["requested_by"],
                    row["message"],
                )
                for row in overview.builds
            ],
            right=["build"],
        )
    if overview.batches:
        print_table(
            [
                "batch",
                "status",
                "source",
                "mode",
                "file",
                "read",
                "accepted",
                "quarantined",
                "build",
                "message",
            ],
            [
                (
                    *(row[name] for name in ("batch_id", "status", "source", "mode", "file_name")),
                    *(f"{row[name]:,}" for name in ("rows_read", "rows_accepted", "rows_quarantined")),
                    *(row[name] for name in ("build_id", "message")),
                )
                for row in overview.batches
            ],
            right=["batch", "read", "accepted", "quarantined", "build"],
        )


def _minute(moment: Any) -> str | None:
    return moment.isoformat(sep=" ", timespec="minutes") if moment else None
