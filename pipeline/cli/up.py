"""`tillhouse up`."""

import sys

import click

from pipeline.settings import get_settings


@click.command()
@click.option("--detach", is_flag=True, help="Start in the background and return when everything is ready.")
@click.option("--no-sample", is_flag=True, help="Do not load the bundled sample into an empty warehouse.")
def up(*, detach: bool, no_sample: bool) -> None:
    """Start the database, Dagster and the API; Ctrl-C stops all of it.

    The first start loads a sample of believable sales, unless --no-sample is given.
    """
    from pipeline.supervisor.reporter import PlainReporter, TerminalReporter
    from pipeline.supervisor.run import describe_running, run_detached, run_foreground
    from pipeline.supervisor.state import read_state

    settings = get_settings()
    running = read_state(settings.home)
    if running is not None:
        click.echo(describe_running(running))
    elif detach:
        run_detached(settings, click.echo, no_sample=no_sample)
    else:
        reporter = TerminalReporter() if sys.stdout.isatty() else PlainReporter()
        run_foreground(settings, reporter, no_sample=no_sample)
        click.echo("Stopped.")
