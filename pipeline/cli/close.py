"""`tillhouse close`."""

import os
from datetime import date, datetime
from getpass import getuser

import click

from pipeline.cli.output import print_table, say
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.locks import refresh_lock
from pipeline.warehouse.prepare import ensure_warehouse


class Month(click.ParamType[date]):
    """A month as people write it: 2024-03."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> date:
        """Its first day."""
        try:
            return datetime.strptime(str(value), "%Y-%m").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value!r} is no month; write it as 2024-03", param, context)


@click.command()
@click.argument("month", type=Month(), required=False)
def close(*, month: date | None) -> None:
    """Close a month: a delivery that would change it is refused, unless it is loaded with --reopen.

    Without MONTH: list the closed ones.
    """
    urls = ensure_warehouse(get_settings(), say)
    # It brings in Polars, which takes a moment.
    from pipeline.landing.closed_months import close_month, closed_months

    with connect(urls.owner) as connection:
        if month is None:
            rows = [(f"{first:%Y-%m}", who, when) for first, who, when in closed_months(connection)]
            print_table(["month", "closed by", "at"], rows) if rows else click.echo("No month is closed.")
            return
    # A landing that has looked at the closed months already must end first.
    with (
        refresh_lock(urls.owner, on_wait=lambda: say("A refresh is running: waiting for it.")),
        connect(urls.owner) as connection,
    ):
        was_open = close_month(connection, month, _who())
    click.echo(f"{month:%Y-%m} {'is closed' if was_open else 'was closed already'}.")


def _who() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return str(os.getuid())
