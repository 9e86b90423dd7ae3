"""`tillhouse down`."""

import click

from pipeline.settings import get_settings


@click.command()
def down() -> None:
    """Stop what `up` started, and wait until it is gone."""
    from pipeline.supervisor.run import stop_running

    click.echo("Stopped." if stop_running(get_settings()) else "Nothing was running.")
