"""`tillhouse rejects`."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from pipeline.answers.cells import csv_cell
from pipeline.cli.output import print_json, print_table, say
from pipeline.errors import TillhouseError
from pipeline.settings import get_settings
from pipeline.sources import source_settings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.prepare import ensure_warehouse

_LINE_CHARACTERS = 160


class NoSuchBatch(TillhouseError):
    """There is no batch with this id."""


class CannotWrite(TillhouseError):
    """The file that was asked for cannot be written."""


@click.command()
@click.argument("batch", type=int, required=False)
@click.option("--reason", help="Only rows of BATCH of which this is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all of BATCH's rows, of any feed, to this CSV file in their own columns, to be corrected and "
    "loaded with `tillhouse load --replay BATCH FILE`.",
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
def rejects(
    *, batch: int | None, reason: str | None, as_json: bool, as_csv: bool, target: Path | None, limit: int
) -> None:
    """Show the rows that were quarantined, and why.

    Without BATCH: the batches that have such rows, newest first, with counts by reason; and the refunds
    that do not count, because they are refused or wait for their order. With BATCH:
    its rows as they are in the file, with the line they start on and everything that is wrong.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    urls = ensure_warehouse(get_settings(), say)
    if target is not None:
        if batch is None:
            raise click.UsageError("--to needs a BATCH")
        count = _write_to(target, urls.owner, batch)
        click.echo(f"{count:,} rejected rows written to {target}.")
        return
    with connect(urls.owner) as connection:
        summary = _batches(connection, limit) if batch is None else _rows(connection, batch, reason, limit)
    if as_json:
        print_json(summary)
    elif as_csv:
        _print_csv(summary["data"], _BATCH_COLUMNS if batch is None else _ROW_COLUMNS)
    elif batch is None:
        _print_batches(summary["data"])
        _print_refunds(summary["refunds"])
    else:
        _print_rows(summary)


def _write_to(target: Path, url: str, batch_id: int) -> int:
    # It brings in Polars, which the other outputs do without.
    from pipeline.landing.corrected import Rejected, write_rejects
    from pipeline.landing.originals import original

    with connect(url) as connection:
        row = connection.execute(
            "select source, feed, sha256 from raw.batches where batch_id = %s", (batch_id,)
        ).fetchone()
        if row is None:
            raise NoSuchBatch(
                f"there is no batch {batch_id}; `tillhouse rejects` lists those with rejected rows"
            )
        rows = connection.execute(
            """
            select row_number, reasons, raw_text from raw.quarantine where batch_id = %s
            order by row_number
            """,
            (batch_id,),
        ).fetchall()
    rejected = {number: Rejected(tuple(reasons), text) for number, reasons, text in rows}
    source, feed, sha256 = row
    settings = get_settings()
    of_source = source_settings(settings, source, feed=feed)
    with original(settings.originals_folder, sha256) as path, _new_file(target) as output:
        write_rejects(path, of_source, rejected, output)
    return len(rejected)


@contextmanager
def _new_file(target: Path) -> Iterator[TextIO]:
    """A file that is there only when it is complete."""
    draft = target.with_name(f".{target.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as output:
            yield output
        draft.replace(target)
    except OSError as error:
        raise CannotWrite(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        draft.unlink(missing_ok=True)


_BATCH_COLUMNS = ("batch_id", "file_name", "source", "status", "rows_read", "rows_quarantined", "reasons")
_ROW_COLUMNS = ("row_number", "reasons", "raw_text")


def _batches(connection: Connection[TupleRow], limit: int) -> dict[str, Any]:
    cursor = connection.cursor(row_factory=dict_row).execute(
        """
        select batch_id, file_name, source, status, rows_read, rows_quarantined, reasons
        from raw.batches
        where rows_quarantined > 0
        order by batch_id desc
        limit %s
        """,
        (limit,),
    )
    return {"data": cursor.fetchall(), "refunds": _refunds(connection, limit)}


def _refunds(connection: Connection[TupleRow], limit: int) -> list[dict[str, Any]]:
    """The refunds that do not count; none before the first build."""
    has_refunds = connection.execute("select to_regclass('core.fct_refunds') is not null").fetchone()
    if not has_refunds or not has_refunds[0]:
        return []
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select
                batch_id, source, refund_id, order_id, trim_scale(amount)::text as amount, quantity,
                refund_date, status, refused_because
            from core.fct_refunds
            where status <> 'applied'
            order by batch_id desc, row_number
            limit %s
            """,
            (limit,),
        )
        .fetchall()
    )


def _rows(connection: Connection[TupleRow], batch_id: int, reason: str | None, limit: int) -> dict[str, Any]:
    found = connection.execute(
        "select file_name, status, rows_quarantined, message from raw.batches where batch_id = %s",
        (batch_id,),
    ).fetchone()
    if found is None:
        raise NoSuchBatch(f"there is no batch {batch_id}; `tillhouse rejects` lists those with rejected rows")
    cursor = connection.cursor(row_factory=dict_row).execute(
        """
        select row_number, reasons, raw_text
        from raw.quarantine
        where batch_id = %(batch_id)s and (%(reason)s::text is null or %(reason)s = any(reasons))
        order by row_number
        limit %(limit)s
        """,
        {"batch_id": batch_id, "reason": reason, "limit": limit},
    )
    names = ("file_name", "status", "rows_quarantined", "message")
    return {"data": cursor.fetchall(), "batch_id": batch_id, **dict(zip(names, found, strict=True))}


def _print_csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(_cell(row[column])) for column in columns])


def _print_batches(rows: list[dict[str, Any]]) -> None:
    if not rows:
        click.echo("No row has been rejected.")
        return
    table = [[_cell(row[column]) for column in _BATCH_COLUMNS] for row in rows]
    headers = ["batch", "file", "source", "status", "read", "rejected", "reasons"]
    print_table(headers, table, right=["batch", "read", "rejected"])


def _print_refunds(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    click.echo("\nRefunds that do not count:")
    headers = ["batch", "source", "refund", "order", "amount", "quantity", "date", "status", "because"]
    print_table(
        headers,
        [[_cell(value) for value in row.values()] for row in rows],
        right=["batch", "amount", "quantity"],
    )


def _print_rows(summary: dict[str, Any]) -> None:
    rows = summary["data"]
    if summary["message"]:
        click.echo(f"Batch {summary['batch_id']} was {summary['status']}: {summary['message']}")
    if not rows:
        click.echo(f"Batch {summary['batch_id']} ({summary['file_name']}) has no rejected rows.")
        return
    table = [[row["row_number"], _cell(row["reasons"]), _shortened(row["raw_text"])] for row in rows]
    print_table(["line", "reasons", "the row as it is in the file"], table, right=["line"])
    if len(rows) < summary["rows_quarantined"]:
        click.echo(f"Shown: {len(rows):,} of {summary['rows_quarantined']:,} rows (see --limit).")


def _cell(value: object) -> object:
    match value:
        case dict():
            counts = sorted(value.items(), key=lambda item: (-item[1], item[0]))
            return ", ".join(f"{reason} {count:,}" for reason, count in counts)
        case list():
            return ", ".join(map(str, value))
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= _LINE_CHARACTERS else f"{text[:_LINE_CHARACTERS]}…"
