"""`tillhouse inspect`."""

from dataclasses import asdict
from typing import Any

import click

from pipeline.cli.load import ProgressLines
from pipeline.cli.output import print_json, print_table, say
from pipeline.fetching import fetched
from pipeline.inspection import Inspection, inspect_file
from pipeline.landing import Reporting
from pipeline.settings import get_settings
from pipeline.sources import FEEDS, ORDER_LINES, source_settings

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_VALUE_CHARACTERS = 40


@click.command()
@click.argument("file")
@click.option(
    "--source",
    default="default",
    show_default=True,
    help="The shop or till the file comes from; what sources.toml says of it is where the look begins.",
)
@click.option(
    "--feed",
    type=click.Choice(tuple(FEEDS)),
    help="What kind of record the file has. Default as sources.toml says, else as its column names do.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def inspect(context: click.Context, *, file: str, source: str, feed: str | None, as_json: bool) -> None:
    """Show what a file is, and write the table of sources.toml that makes it load.

    FILE is a path or an address, as for `load`.

    Reads every row and writes nothing. Ends with 0 when the file would be loaded as proposed, and with 1
    when it would be refused.
    """
    settings = get_settings()
    of_source = source_settings(settings, source, feed=feed)
    with fetched([file], settings, say) as (one, *others):
        if others:
            raise click.UsageError(f"{file} names {1 + len(others)} files; name one of them")
        reporting = Reporting(settings.currency, settings.time_zone)
        found = inspect_file(one.path, source, of_source, ProgressLines(quiet=as_json), one.name, reporting)
    if as_json:
        print_json(_as_json(found))
    else:
        _show(found)
    context.exit(1 if found.refusal else 0)


def _as_json(found: Inspection) -> dict[str, Any]:
    settings = found.settings.model_dump(mode="json", exclude_defaults=True)
    headers = [{**asdict(reading), "confidence": reading.confidence} for reading in found.headers]
    return {
        **{name: value for name, value in vars(found).items() if name not in ("settings", "headers")},
        "feed": found.settings.feed,
        "headers": headers,
        "settings": settings,
        "doubts": [asdict(doubt) for doubt in found.doubts],
        "problems": [asdict(problem) for problem in found.problems],
    }


def _show(found: Inspection) -> None:
    click.echo(f"{found.file_name}: {', '.join(_form(found))}.")
    if found.feed_note:
        click.echo(found.feed_note)
    if found.system:
        click.echo(f"It looks like an export of {found.system}.")
    known, is_line = FEEDS[found.settings.feed], found.settings.feed == ORDER_LINES
    click.echo()
    print_table(
        ["header", "is", "how sure", "examples"],
        [
            (
                reading.header,
                known.columns[reading.column]
                if reading.column
                else "kept beside the line"
                if is_line
                else "kept beside the record",
                _how_sure(reading.confidence, reading.found_by, reading.remark),
                ", ".join(_short(text) for text in reading.examples),
            )
            for reading in found.headers
        ],
        title="Columns",
    )
    if known.numbers:
        click.echo(f"Numbers: {_marks(found)} (by the first {found.rows_sampled:,} rows)")
    if found.date_format:
        click.echo(f"Dates: {found.date_format} (by every row)")
    if found.first_rows:
        _show_first_rows(found.first_rows)
    _show_problems(found)
    _show_doubts(found)
    if found.sources_toml:
        click.echo(f"\nFor sources.toml:\n\n{found.sources_toml}")
        if not is_line:
            click.echo(_of_every_file(found))
    else:
        click.echo("\nIt needs no entry in sources.toml.")


def _of_every_file(found: Inspection) -> str:
    feed = found.settings.feed
    told = f"With it, every file of the source is one of {feed}: give them a source of their own (--source)"
    is_all = found.settings.model_dump(exclude_defaults=True).keys() == {"feed"}
    return f"{told}, or load them with --feed {feed} and no entry." if is_all else f"{told}."


def _form(found: Inspection) -> list[str]:
    parts = [found.kind]
    if found.packing:
        parts.append(f"{found.packing} of {found.members} files" if found.members > 1 else found.packing)
    if found.encoding:
        parts.append(found.encoding + (" (guessed from its letters)" if found.encoding_is_guessed else ""))
    if found.delimiter:
        parts.append(f"fields separated by {_DELIMITERS[found.delimiter]}")
    if found.header_line:
        above = f", below {found.header_line - 1} others" if found.header_line > 1 else ""
        parts.append(f"column names on line {found.header_line}{above}")
    return parts


def _how_sure(confidence: str | None, found_by: str, remark: str | None) -> str | None:
    known = {"name": "by its name", "alias": "a usual name", "similar": "", "content": ""}
    said = [part for part in (known.get(found_by, ""), remark) if part]
    return ": ".join(part for part in (confidence, ", ".join(said)) if part) or None


def _marks(found: Inspection) -> str:
    thousands = found.settings.thousands_mark
    between = f", {thousands!r} between thousands" if thousands else ", nothing between thousands"
    return f"{found.settings.decimal_mark!r} before decimals{between}"


def _show_first_rows(rows: tuple[dict[str, Any], ...]) -> None:
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    click.echo()
    print_table(
        names,
        [[None if row[name] is None else _short(str(row[name])) for name in names] for row in rows],
        title="The first rows as they would land",
    )


def _show_problems(found: Inspection) -> None:
    click.echo(
        f"{found.rows_read:,} rows read, {found.rows_accepted:,} accepted, "
        f"{found.rows_quarantined:,} quarantined"
    )
    for note in found.notes:
        click.echo(note)
    if found.problems:
        click.echo()
        print_table(
            ["rule", "rows", "first lines"],
            [
                (problem.rule, f"{problem.rows:,}", ", ".join(map(str, problem.first_lines)))
                for problem in found.problems
            ],
            right=["rows"],
            title="Rules that rows break",
        )
    if found.refusal:
        click.echo(f"It would be refused: {found.refusal}")


def _show_doubts(found: Inspection) -> None:
    for doubt in found.doubts:
        click.echo(f"Uncertain, {doubt.setting}: {doubt.text}")
        for toml, meaning in doubt.choices:
            click.echo(f"  {' and '.join(toml.splitlines())}: {meaning}")


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[:_VALUE_CHARACTERS]}…"
