"""What the reports about customers share: their options, and how an answer is asked for and printed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import click

from pipeline.answers import numbers
from pipeline.answers.answer import Answer
from pipeline.answers.exporting import columns_of, csv_pieces
from pipeline.answers.models import Model
from pipeline.answers.snapshots import read_only_snapshot
from pipeline.cli.output import print_json, say
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.prepare import ensure_warehouse

Query = Callable[..., Answer]
Command = Callable[..., None]


def day_option(*names: str, help: str) -> Callable[[Command], Command]:
    """An option that takes an ISO date."""
    return click.option(*names, type=click.DateTime(["%Y-%m-%d"]), callback=_day, help=help)


def numbers_option(name: str, *, whole: bool = False, help: str) -> Callable[[Command], Command]:
    """An option that takes numbers with commas between them."""
    return click.option(name, default="", callback=_whole_numbers if whole else _numbers, help=help)


def _day(context: click.Context, option: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


def _numbers(context: click.Context, option: click.Parameter, value: str) -> tuple[Decimal, ...]:
    try:
        found = tuple(Decimal(part) for part in value.split(",") if value)
    except InvalidOperation:
        found = (Decimal("nan"),)
    if not all(number.is_finite() for number in found):
        raise click.BadParameter(f"{value!r} are no numbers with commas between them.")
    return found


def _whole_numbers(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    found = _numbers(context, option, value)
    if any(number != int(number) for number in found):
        raise click.BadParameter(f"{value!r} are no whole numbers.")
    return tuple(map(int, found))


def reporting(command: Command) -> Command:
    """The options that every report about customers has."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV, exact and complete."),
        click.option("--json", "as_json", is_flag=True, help="Print the API's keys and values, complete."),
        day_option("--to", "end", help="Last day, inclusive."),
        day_option("--from", "start", help="First day, inclusive."),
    ):
        command = option(command)
    return command


def check_options(start: date | None, end: date | None, *, as_json: bool, as_csv: bool) -> None:
    """Refuse options that exclude each other.

    Raises:
        click.UsageError: they do.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if start and end and start > end:
        raise click.UsageError(f"--from {start} is after --to {end}.")


def ask(query: Query, question: Any) -> Answer:
    """The whole answer to a question, from one snapshot."""
    settings = get_settings()
    urls = ensure_warehouse(settings, say)
    with connect(urls.reader) as connection:
        read_only_snapshot(connection)
        found = query(connection, question, currency=settings.currency, time_zone=settings.time_zone)
        return replace(found, rows=list(found.rows))


def print_exact(found: Answer, model: type[Model], *, as_csv: bool) -> None:
    """Print an answer as JSON or as CSV."""
    if not as_csv:
        print_json({"data": found.rows, "meta": found.meta})
        return
    for piece in csv_pieces(columns_of(model, found.keys), found.rows):
        click.echo(piece, nl=False)


def print_source(meta: dict[str, Any]) -> None:
    """Print where the figures come from."""
    span = meta["range"]
    click.echo(
        f"{span['start_date']} to {span['end_date']} ({meta['time_zone']}), build {meta['build_id']}, "
        f"data as of {meta['data_as_of']}"
        if span["start_date"]
        else f"No sales are published (build {meta['build_id']})."
    )


def shown(value: str | int | None, digits: int) -> str | None:
    """A number for eyes: rounded half up, with thousands apart."""
    return None if value is None else f"{Decimal(numbers.half_up(Fraction(value), digits)):,}"


def percent(ratio: str | None) -> str | None:
    """A ratio for eyes."""
    return None if ratio is None else f"{shown(str(Decimal(ratio) * 100), 1)} %"
