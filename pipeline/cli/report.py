"""`tillhouse report`: the API's answers, in the terminal.

The figures come through the API's own query layer, so that the two cannot differ.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import click

from pipeline.answers import numbers
from pipeline.answers.answer import Answer, Row
from pipeline.answers.dates import GRAINS
from pipeline.answers.exporting import columns_of, csv_pieces
from pipeline.answers.measures import MEASURES
from pipeline.answers.revenue import RevenueQuestion, answer
from pipeline.answers.revenue_models import RevenueRow
from pipeline.answers.snapshots import read_only_snapshot
from pipeline.cli.output import print_json, print_table, say
from pipeline.cli.report_customers import cohorts_report, lifetime_value_report, segments_report
from pipeline.cli.report_findings import findings_report
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.prepare import ensure_warehouse

GROUPS_BY_NAME = {
    "region": "region",
    "category": "category",
    "product": "product",
    "payment-method": "payment_method",
    "customer": "customer",
    "source": "source",
}
# The measures that a table for eyes has room for, with their headers.
TABLE_MEASURES = {
    "gross_revenue": "Gross",
    "discounts": "Discounts",
    "returns": "Returns",
    "net_revenue": "Net revenue",
    "shipping": "Shipping",
    "orders": "Orders",
    "customers": "Customers",
    "net_units": "Net units",
}
KINDS = {measure.name: measure.kind for measure in MEASURES}


@click.group()
def report() -> None:
    """Print revenue figures and figures of customers, or write the story of a period."""


for _command in (lifetime_value_report, segments_report, cohorts_report, findings_report):
    report.add_command(_command)


@report.command()
@click.option(
    "--by",
    "dimensions",
    multiple=True,
    type=click.Choice([*GROUPS_BY_NAME, *GRAINS]),
    help="What to group by; repeat for several (at most one of day, week, month, quarter, year).",
)
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day, inclusive.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Last day, inclusive.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's keys and values, exact.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, exact.")
def revenue(
    *, dimensions: tuple[str, ...], start: datetime | None, end: datetime | None, as_json: bool, as_csv: bool
) -> None:
    """Print every revenue measure, by any groups and over any dates."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if start and end and start > end:
        raise click.UsageError(f"--from {start:%Y-%m-%d} is after --to {end:%Y-%m-%d}.")
    question = _question(dimensions, start.date() if start else None, end.date() if end else None)
    if as_json:
        found = _ask(question)[0]
        print_json({"data": found.rows, "meta": found.meta})
    elif as_csv:
        _print_csv(_ask(question)[0])
    else:
        whole = RevenueQuestion(start=question.start, end=question.end)
        _print_table(_ask(question, whole), question)


def _question(dimensions: Sequence[str], start: date | None, end: date | None) -> RevenueQuestion:
    asked = tuple(dict.fromkeys(dimensions))
    grains = [name for name in asked if name in GRAINS]
    if len(grains) > 1:
        raise click.UsageError(f"--by takes one grain of time, not {' and '.join(grains)}.")
    groups = tuple(GROUPS_BY_NAME[name] for name in asked if name in GROUPS_BY_NAME)
    return RevenueQuestion(group_by=groups, grain=grains[0] if grains else None, start=start, end=end)


def _ask(*questions: RevenueQuestion) -> list[Answer]:
    """The answers to several questions, all from one snapshot."""
    settings = get_settings()
    urls = ensure_warehouse(settings, say)
    with connect(urls.reader) as connection:
        read_only_snapshot(connection)
        answers = [
            answer(connection, question, currency=settings.currency, time_zone=settings.time_zone)
            for question in questions
        ]
        return [replace(found, rows=list(found.rows)) for found in answers]


def _print_table(answers: Sequence[Answer], question: RevenueQuestion) -> None:
    found, whole = answers
    [total] = whole.rows
    meta = found.meta
    keys = _key_columns(question)
    digits = numbers.minor_digits(meta["currency"])
    rows = [[*_shown_keys(row, question), *_shown_measures(row, digits)] for row in found.rows]
    if keys:
        blanks = [""] * (len(keys) - 1)
        rows.append(["Total", *blanks, *_shown_measures(total, digits)])
    headers = list(TABLE_MEASURES.values())
    print_table([*keys, *headers], rows, right=headers, title=f"Revenue, {meta['currency']}")
    span = meta["range"]
    click.echo(
        f"{span['start_date']} to {span['end_date']} ({meta['time_zone']}), build {meta['build_id']}, "
        f"data as of {meta['data_as_of']}"
        if span["start_date"]
        else f"No sales are published (build {meta['build_id']})."
    )
    if any(row.get("bucket", {}).get("is_partial") for row in found.rows):
        click.echo("* not whole: cut by the dates asked, or by the data's end")


def _key_columns(question: RevenueQuestion) -> list[str]:
    names = [*([question.grain] if question.grain else []), *question.group_by]
    return [name.replace("_", " ").capitalize() for name in names]


def _shown_keys(row: Row, question: RevenueQuestion) -> list[str]:
    shown = [_shown_bucket(row["bucket"], question.grain)] if question.grain else []
    for name in question.group_by:
        value = row[name]
        if isinstance(value, dict):
            value = "(guest)" if value["id"] is None else _shown_name(value["id"], value["name"])
        shown.append(value)
    return shown


def _shown_name(identity: str, name: str | None) -> str:
    return identity if name in (None, identity) else f"{name} ({identity})"


def _shown_bucket(bucket: dict[str, Any], grain: str | None) -> str:
    start = date.fromisoformat(bucket["start_date"])
    year, week, _ = start.isocalendar()
    shown = {
        "week": f"{year}-W{week:02}",
        "month": f"{start:%Y-%m}",
        "quarter": f"{start.year}-Q{(start.month + 2) // 3}",
        "year": str(start.year),
    }.get(grain or "", start.isoformat())
    return f"{shown} *" if bucket["is_partial"] else shown


def _shown_measures(row: Row, digits: int) -> list[str]:
    return [_shown(row[name], digits if KINDS[name] == "money" else 0) for name in TABLE_MEASURES]


def _shown(value: str | int, digits: int) -> str:
    return f"{Decimal(numbers.half_up(Fraction(value), digits)):,}"


def _print_csv(found: Answer) -> None:
    for piece in csv_pieces(columns_of(RevenueRow, found.keys), found.rows):
        click.echo(piece, nl=False)
