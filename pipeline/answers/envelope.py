"""The envelope of every answer: ``data``, ``meta`` and, for lists, ``page``."""

import base64
import binascii
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec

from pipeline.answers.builds import Build
from pipeline.answers.dates import DateRange
from pipeline.answers.errors import QueryError
from pipeline.answers.measures import NOT_ADDITIVE

DEFINITIONS_LINK = "/api/v1/definitions"
# Cursors come from anybody: numbers fit a bigint, with room to be added to, and texts have no zero byte.
_STORABLE: dict[type, Any] = {
    int: Annotated[int, msgspec.Meta(ge=0, lt=2**53)],
    str: Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")],
}


def meta(build: Build, span: DateRange | None, currency: str, time_zone: str) -> dict[str, Any]:
    """What every figure must be read with: its range, its units and its build."""
    return {
        "currency": currency,
        "time_zone": time_zone,
        "range": written_range(span),
        "build_id": build.build_id,
        "data_as_of": build.data_as_of.isoformat() if build.data_as_of else None,
        "built_at": msgspec.to_builtins(build.built_at),
        "non_additive": list(NOT_ADDITIVE),
        "definitions": DEFINITIONS_LINK,
    }


def written_range(span: DateRange | None) -> dict[str, str | None]:
    """A range of dates, both inclusive."""
    return {
        "start_date": span.start.isoformat() if span else None,
        "end_date": span.end.isoformat() if span else None,
    }


def page(next_cursor: str | None) -> dict[str, Any]:
    """Where the list goes on."""
    return {"next_cursor": next_cursor, "has_more": next_cursor is not None}


def make_cursor(*values: str | int | date | UUID) -> str:
    """An opaque cursor that carries these values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode("ascii")


def read_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The values that a cursor carries, of these types, and such as Postgres takes.

    Raises:
        QueryError: no cursor of this list.
    """
    wanted = tuple(_STORABLE.get(kind, kind) for kind in types)
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True)
        values: tuple[Any, ...] = msgspec.json.decode(text, type=tuple[wanted])  # type: ignore[valid-type]
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise QueryError(
            "invalid_cursor",
            "This cursor belongs to no page of this list; start again without cursor.",
            "cursor",
        ) from error
    return values


def read_key(cursor: str | None) -> int | None:
    """The key after which a page of ``listed`` begins; None for the first page.

    Raises:
        QueryError: no cursor of such a list.
    """
    return None if cursor is None else int(read_cursor(cursor, int)[0])


def listed(found: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    """The envelope of a list by falling ``key``, of which one row more than ``limit`` was fetched."""
    rows = found[:limit]
    return {"data": rows, "page": page(make_cursor(rows[-1][key]) if len(found) > limit else None)}
