"""`tillhouse load`."""

import sys
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import click

from pipeline.cli.output import print_json, print_table, say
from pipeline.fetching import fetched
from pipeline.landing import BatchResult, LandingRequest, Progress, Reporting, check
from pipeline.landing.control_totals import control_totals
from pipeline.settings import get_settings
from pipeline.sources import FEEDS, source_settings
from pipeline.warehouse.prepare import ensure_warehouse


class Amount(click.ParamType[str]):
    """A sum of money, exact."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        """The amount as it was written."""
        try:
            is_amount = Decimal(value).is_finite()
        except InvalidOperation:
            is_amount = False
        if not is_amount:
            self.fail(f"{value!r} is no amount; write it as 1234.50", param, context)
        return str(value)


@click.command()
@click.argument("files", metavar="PATH...", nargs=-1)
@click.option("--source", default="default", show_default=True, help="The shop or till the files come from.")
@click.option(
    "--feed",
    type=click.Choice(tuple(FEEDS)),
    help="What kind of record the files have. Default as sources.toml says, else order_lines.",
)
@click.option(
    "--mode",
    type=click.Choice(["append", "overwrite"]),
    help="append: add and correct lines. overwrite: the files together are the source's whole truth. "
    "Default as sources.toml says, else append.",
)
@click.option(
    "--duplicate-rows",
    type=click.Choice(["quarantine", "keep"]),
    help="What becomes of rows that equal another row of their file in every column. "
    "Default as sources.toml says, else quarantine.",
)
@click.option(
    "--force", is_flag=True, help="Let an overwrite delete more than a fifth of the source's lines."
)
@click.option(
    "--reopen", is_flag=True, help="Let it change closed months; those that it changes are open again."
)
@click.option("--expect-rows", type=click.IntRange(min=0), help="Refuse a file with another number of rows.")
@click.option("--expect-gross", type=Amount(), help="Refuse a file with another gross revenue.")
@click.option("--expect-net", type=Amount(), help="Refuse a file with another net revenue.")
@click.option(
    "--replay",
    type=int,
    metavar="BATCH",
    help="Try the rejected rows of a batch again: corrected, in the one file that is named (see `tillhouse "
    "rejects --to`), or without a file as its source is described now.",
)
@click.option("--dry-run", is_flag=True, help="Read and check with the very same code, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def load(
    context: click.Context,
    *,
    files: tuple[str, ...],
    source: str,
    feed: str | None,
    mode: Literal["append", "overwrite"] | None,
    duplicate_rows: Literal["quarantine", "keep"] | None,
    force: bool,
    reopen: bool,
    expect_rows: int | None,
    expect_gross: str | None,
    expect_net: str | None,
    replay: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Load sales files and publish the new numbers.

    PATH is a file, a pattern in quotes ("exports/*.csv"), an http(s) address on a host of
    TILLHOUSE_FETCH_HOSTS, or s3://bucket/key, perhaps with a star.

    Ends with 0 when everything that was named is in the published numbers, and with 1 when a
    file was refused or the build's checks failed (then the numbers are as they were).
    """
    _require_clear(files, replay, dry_run=dry_run)
    listener = ProgressLines(quiet=as_json)
    settings = get_settings()
    # Also for a load, which reads them again: what is wrong with them is said before anything starts.
    of_source = source_settings(settings, source, feed=feed, mode=mode, duplicate_rows=duplicate_rows)
    with fetched(files, settings, say) as found:
        if dry_run:
            request = LandingRequest(
                paths=tuple(file.path for file in found),
                names=tuple(file.name for file in found),
                source=source,
                settings=of_source,
                reporting=Reporting(settings.currency, settings.time_zone),
                totals=control_totals(expect_rows, expect_gross, expect_net),
            )
            batches = [_checked(result) for result in check(request, listener)]
            _show(_report(batches, None, {}, "checked", _dry_run_message(of_source.mode)), as_json=as_json)
            context.exit(1 if any(batch["status"] == "refused" for batch in batches) else 0)

        urls = ensure_warehouse(settings, say)
        from pipeline.cli.run_job import run_refresh
        from pipeline.cli.void import show_batches

        outcome = run_refresh(
            settings,
            urls,
            {
                "files": [str(file.path) for file in found],
                "file_names": [file.name for file in found],
                "source": source,
                "feed": feed,
                "mode": mode,
                "duplicate_rows": duplicate_rows,
                "force": force,
                "reopen": reopen,
                "expect_rows": expect_rows,
                "expect_gross": expect_gross,
                "expect_net": expect_net,
                "replay": replay,
                "requested_by": "cli",
            },
            listener,
        )
    if replay is not None and not as_json:
        show_batches(outcome)
        click.echo(outcome.message)
        context.exit(outcome.exit_code)
    build = outcome.build or {}
    report = _report(
        outcome.batches, build.get("build_id"), build.get("seconds") or {}, outcome.status, outcome.message
    )
    if replay is not None:
        report["batches"] = outcome.files
    if build.get("failed_checks"):
        report["failed_checks"] = build["failed_checks"]
    _show(report, as_json=as_json)
    context.exit(outcome.exit_code)


def _require_clear(files: tuple[str, ...], replay: int | None, *, dry_run: bool) -> None:
    if replay is None and not files:
        raise click.UsageError("Name at least one file.")
    if replay is not None and (len(files) > 1 or dry_run):
        raise click.UsageError("--replay takes one file of corrected rows or none, and no --dry-run.")


def _dry_run_message(mode: str) -> str:
    unchecked = "whether a file is loaded already and would be skipped"
    if mode == "overwrite":
        unchecked += ", and whether the overwrite would delete too many of the source's lines"
    return f"Nothing was written. Not checked, because it takes the warehouse: {unchecked}."


class ProgressLines:
    """Tells of landing's progress on stderr: rewriting one line on a terminal, else in plain lines."""

    STEP_SECONDS = 5.0

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._told = 0.0

    def __call__(self, progress: Progress) -> None:
        """Show where a file stands."""
        is_done = progress.bytes_read >= progress.bytes_total
        is_due = self._terminal or is_done or progress.seconds - self._told >= self.STEP_SECONDS
        if self._quiet or not is_due:
            return
        self._told = 0.0 if is_done else progress.seconds
        rate = round(progress.rows_read / progress.seconds) if progress.seconds else 0
        line = (
            f"{progress.file_name}: {progress.rows_read:,} rows read ({rate:,} a second), "
            f"{progress.rows_accepted:,} accepted, {progress.rows_quarantined:,} quarantined"
        )
        if self._terminal:
            click.echo(f"\r\033[K{line}", err=True, nl=is_done)
        else:
            say(line)


def _report(
    batches: list[dict[str, Any]], build_id: int | None, seconds: dict[str, float], status: str, message: str
) -> dict[str, Any]:
    quarantined: dict[str, int] = {}
    for batch in batches:
        for reason, count in batch["reasons"].items():
            quarantined[reason] = quarantined.get(reason, 0) + count
    return {
        "status": status,
        "message": message,
        "batch_ids": [batch["batch_id"] for batch in batches if batch["batch_id"] is not None],
        "rows_read": sum(batch["rows_read"] for batch in batches),
        "rows_accepted": sum(batch["rows_accepted"] for batch in batches),
        "rows_quarantined": quarantined,
        "build_id": build_id,
        "seconds": seconds,
        "batches": batches,
    }


def _checked(result: BatchResult) -> dict[str, Any]:
    names = (
        "batch_id",
        "file_name",
        "source",
        "status",
        "message",
        "rows_read",
        "rows_accepted",
        "rows_quarantined",
        "reasons",
        "first_sale_date",
        "last_sale_date",
    )
    return {name: getattr(result, name) for name in names}


def _show(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print_table(
        ["batch", "file", "source", "status", "read", "accepted", "quarantined"],
        [
            (
                batch["batch_id"],
                batch["file_name"],
                batch["source"],
                batch["status"],
                f"{batch['rows_read']:,}",
                f"{batch['rows_accepted']:,}",
                f"{batch['rows_quarantined']:,}",
            )
            for batch in report["batches"]
        ],
        right=["batch", "read", "accepted", "quarantined"],
    )
    for batch in report["batches"]:
        if batch["message"]:
            click.echo(f"{batch['file_name']}: {batch['message']}")
    if report["rows_quarantined"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in report["rows_quarantined"].items())
        hint = " (tillhouse rejects shows the rows)" if report["batch_ids"] else ""
        click.echo(f"Quarantined: {reasons}{hint}")
    click.echo(report["message"])
