"""The envelope of every answer: ``data``, ``meta`` and, for lists, ``page``."""

import base64
import binascii
from typing import Any

import msgspec

from pipeline.answers.builds import Build
from pipeline.answers.dates import DateRange
from pipeline.answers.errors import QueryError
from pipeline.answers.measures import NOT_ADDITIVE

DEFINITIONS_LINK = "/api/v1/definitions"


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


def make_cursor(*values: str | int) -> str:
    """An opaque cursor that carries these values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode("ascii")


def read_cursor(cursor: str, *types: type) -> list[Any]:
    """The values that a cursor carries, which must be of these types.

    Raises:
        QueryError: no cursor of this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values: list[Any] = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        values = []
    fits = isinstance(values, list) and len(values) == len(types)
    if not fits or not all(type(value) is kind for value, kind in zip(values, types, strict=True)):
        raise QueryError(
            "invalid_cursor",
            "This cursor belongs to no page of this list; start again without cursor.",
            "cursor",
        )
    return values


def listed(found: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    """The envelope of a list by falling ``key``, of which one row more than ``limit`` was fetched."""
    rows = found[:limit]
    return {"data": rows, "page": page(make_cursor(rows[-1][key]) if len(found) > limit else None)}
