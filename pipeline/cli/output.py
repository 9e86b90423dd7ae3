"""What commands print: results to stdout, notices to stderr, so that `--json` can be piped."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

if TYPE_CHECKING:
    from rich.console import Console

# A table in a pipe is as wide as it needs to be: nobody's terminal cuts it.
_PIPE_WIDTH = 10_000


def say(line: str) -> None:
    """Tell the user something that is not the command's result."""
    click.echo(line, err=True)


def to_json(value: Any) -> str:
    """JSON with exact decimals as strings, and dates in ISO form."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2)


def print_json(value: Any) -> None:
    """Print one JSON value to stdout."""
    click.echo(to_json(value))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), title: str = ""
) -> None:
    """Print a table to stdout.

    Args:
        columns: the headers.
        rows: the cells; None is shown as a dash.
        right: the headers of the columns to align right (numbers).
        title: a line above the table.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        # Text, not str: a product called "[red]" is a name, not markup.
        table.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    console().print(table)


def console() -> "Console":
    """A console on stdout."""
    from rich.console import Console

    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case UUID() | Path():
            return str(value)
        case set() | frozenset() | tuple():
            return list(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")
