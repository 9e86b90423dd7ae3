"""`tillhouse void`."""

import click

from pipeline.cli.output import print_json, say
from pipeline.cli.run_job import Outcome, run_refresh
from pipeline.settings import get_settings
from pipeline.warehouse.prepare import ensure_warehouse


def show_batches(outcome: Outcome) -> None:
    """A line for each batch that something was done to."""
    for batch in outcome.files:
        said = f": {batch['message']}" if batch["message"] else ""
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in batch["reasons"].items())
        still = f" Still rejected: {reasons}." if reasons else ""
        click.echo(f"Batch {batch['batch_id']} ({batch['name']}) is {batch['status']}{said}.{still}")


@click.command()
@click.argument("batches", nargs=-1, type=int, required=True, metavar="BATCH...")
@click.option("--undo", is_flag=True, help="Put voided batches back.")
@click.option(
    "--reopen", is_flag=True, help="Let it change closed months; those that it changes are open again."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def void(
    context: click.Context, *, batches: tuple[int, ...], undo: bool, reopen: bool, as_json: bool
) -> None:
    """Take deliveries back out of the numbers, as if they had never come, and publish what is left.

    Nothing is lost: --undo puts them back. The files of one overwrite go together.
    """
    settings = get_settings()
    urls = ensure_warehouse(settings, say)
    request = {"restore" if undo else "void": list(batches), "reopen": reopen, "requested_by": "cli"}
    outcome = run_refresh(settings, urls, request)
    if as_json:
        print_json(
            {
                "status": outcome.status,
                "message": outcome.message,
                "batches": outcome.files,
                "build": outcome.build,
            }
        )
    else:
        show_batches(outcome)
        click.echo(outcome.message)
    context.exit(outcome.exit_code)
