"""`tillhouse refresh`."""

import click

from pipeline.cli.output import print_json, say
from pipeline.settings import get_settings
from pipeline.warehouse.prepare import ensure_warehouse


@click.command()
@click.option("--full", is_flag=True, help="Build everything anew instead of the change alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def refresh(context: click.Context, *, full: bool, as_json: bool) -> None:
    """Load what waits in the inbox, and publish what is new.

    Ends with 0 when the published numbers hold everything, else with 1.
    """
    settings = get_settings()
    urls = ensure_warehouse(settings, say)
    from pipeline.cli.run_job import run_refresh

    outcome = run_refresh(settings, urls, {"full": full, "requested_by": "cli"})
    if as_json:
        print_json(
            {
                "status": outcome.status,
                "message": outcome.message,
                "batches": outcome.batches,
                "build": outcome.build,
            }
        )
    else:
        for batch in outcome.batches:
            click.echo(f"{batch['file_name']}: {batch['status']}. {batch['message'] or ''}".rstrip())
        click.echo(outcome.message)
    context.exit(outcome.exit_code)
