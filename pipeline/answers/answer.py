"""What every question is answered with."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from pipeline.answers import envelope
from pipeline.answers.builds import Build
from pipeline.answers.errors import QueryError
from pipeline.answers.streaming import Row as Row
from pipeline.answers.streaming import Streamed


@dataclass(frozen=True)
class Answer:
    """JSON-ready rows, what they must be read with, and where they go on.

    A page's rows are a list; those of a whole answer (no limit) may be read from the database
    while they are taken. ``keys`` names what each row has, where that is less than its model has.
    """

    rows: list[Row] | Streamed
    meta: dict[str, Any]
    next_cursor: str | None = None
    keys: tuple[str, ...] | None = None


def fingerprint(*asked: Any) -> str:
    """A short hash of a question, by which its cursors know it."""
    return hashlib.blake2b(msgspec.json.encode(asked), digest_size=8).hexdigest()


def resumed(cursor: str | None, build: Build, asked: str, *types: type) -> tuple[Any, ...] | None:
    """What a cursor carries besides its build and question; None without one.

    ``asked`` is the question's fingerprint.

    Raises:
        QueryError: the cursor is none, of another question, or of an older build.
    """
    if cursor is None:
        return None
    build_id, whose, *values = envelope.read_cursor(cursor, int, str, *types)
    if whose != asked:
        raise QueryError(
            "invalid_cursor", "This cursor belongs to another question; start again without it.", "cursor"
        )
    if build_id != build.build_id:
        raise QueryError(
            "stale_cursor",
            f"The cursor belongs to build {build_id}, the numbers are of build {build.build_id} now; "
            "start again without cursor.",
            "cursor",
        )
    return tuple(values)


def offset_of(cursor: str | None, build: Build, asked: str) -> int:
    """Where a page begins.

    Raises:
        QueryError: see ``resumed``.
    """
    found = resumed(cursor, build, asked, int)
    return found[0] if found else 0


def paged(
    rows: list[Row], limit: int | None, build: Build, offset: int, asked: str
) -> tuple[list[Row], str | None]:
    """A page and the cursor of the next one, from the rows with one more than ``limit`` when there is."""
    if limit is None or len(rows) <= limit:
        return rows, None
    return rows[:limit], envelope.make_cursor(build.build_id, asked, offset + limit)


def too_large(most: int) -> QueryError:
    """What a file of more than ``most`` rows is refused with."""
    return QueryError(
        "export_too_large",
        f"The answer has more than {most} rows. Have a file made of it: POST /api/v1/exports.",
    )


def fetched(limit: int | None) -> int | None:
    """How many rows to fetch for a page of ``limit``: one more tells that there is a next page."""
    return None if limit is None else limit + 1
