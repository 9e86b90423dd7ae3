"""`tillhouse report findings`."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from pipeline.answers.snapshots import read_only_snapshot
from pipeline.cli.output import say
from pipeline.cli.report_answers import check_options, day_option
from pipeline.errors import TillhouseError
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.prepare import ensure_warehouse


class ReportNotWritten(TillhouseError):
    """The file that was asked for cannot be written."""


@click.command("findings")
@day_option("--from", "start", help="First day, inclusive.")
@day_option("--to", "end", help="Last day, inclusive.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; default findings-START-END.html in the current folder.",
)
def findings_report(*, start: date | None, end: date | None, output: Path | None) -> None:
    """Write a period's story in words, figures and charts, as one page of HTML.

    Without dates it is about the last whole month of the data. The page needs no network; printed
    from a browser it is a PDF. A file that is there already is left as it is.
    """
    # It brings in Jinja and Babel, which the other reports do without.
    from pipeline.findings.page import make_report

    check_options(start, end, as_json=False, as_csv=False)
    _refuse_existing(output)
    settings = get_settings()
    urls = ensure_warehouse(settings, say)
    with connect(urls.reader) as connection:
        read_only_snapshot(connection)
        report = make_report(
            connection,
            start,
            end,
            currency=settings.currency,
            time_zone=settings.time_zone,
            made_at=datetime.now(UTC),
        )
    target = output or Path(f"findings-{report.span.start}-{report.span.end}.html")
    _write_new(target, report.html)
    click.echo(
        f"Findings of {report.span.start} to {report.span.end} ({report.why}), build {report.build_id}, "
        f"written to {target}. Open it in a browser; printed from there it is a PDF."
    )


def _refuse_existing(target: Path | None) -> None:
    if target is not None and target.exists():
        raise _already_there(target)


def _write_new(target: Path, html: str) -> None:
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(html)
    except FileExistsError as error:
        raise _already_there(target) from error
    except OSError as error:
        raise ReportNotWritten(f"{target}: cannot be written ({error.strerror})") from error


def _already_there(target: Path) -> ReportNotWritten:
    return ReportNotWritten(
        f"{target} is there already and was left as it is: name another file with --output, or remove it"
    )
