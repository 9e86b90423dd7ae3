"""Questions about revenue, answered from what is published."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Connection

from api import envelope, numbers
from api.queries.builds import Build, current_build
from api.queries.dates import Bucket, DateRange, buckets, effective_range
from api.queries.dimensions import DIMENSIONS, GROUPS, Dimension
from api.queries.errors import QueryError
from api.queries.measures import COUNTS, SORTABLE, SUMS, measure_values
from api.queries.pieces import Shape
from api.queries.relations import plan
from api.queries.revenue_sql import result_columns, statement

Row = dict[str, Any]

SORT_NAMES = (*SORTABLE, *GROUPS, "bucket")


@dataclass(frozen=True)
class RevenueQuestion:
    """A question: what to group by, over which dates, under which filters, in which order.

    ``start`` and ``end`` are inclusive; None takes the data's own. ``filters`` maps the names of
    ``dimensions.FILTERS`` to accepted values. ``sort`` names measures, groups or ``bucket``, with
    ``-`` for descending; without it, buckets come in order of time and groups by falling net
    revenue. ``limit`` None asks for every row.

    Raises:
        QueryError: it groups twice by the same, or sorts by a group or bucket that it has not.
    """

    group_by: tuple[str, ...] = ()
    grain: str | None = None
    start: date | None = None
    end: date | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    limit: int | None = None
    cursor: str | None = None

    def __post_init__(self) -> None:
        if len(set(self.group_by)) < len(self.group_by):
            raise QueryError("invalid_value", "group_by names a group twice.", "group_by")
        there = {*SORTABLE, *self.group_by, *(("bucket",) if self.grain else ())}
        for name in self.sort:
            if name.removeprefix("-") not in there:
                raise QueryError(
                    "invalid_value", f"sort={name} needs it to be asked by group_by or grain.", "sort"
                )

    @property
    def order(self) -> tuple[str, ...]:
        """The order that the rows come in, before ids break the ties."""
        if self.sort:
            return self.sort
        if self.grain:
            return ("bucket", "-net_revenue")
        return ("-net_revenue",)


@dataclass(frozen=True)
class Answer:
    """JSON-ready rows, what they must be read with, and where they go on."""

    rows: list[Row]
    meta: dict[str, Any]
    next_cursor: str | None


def answer(
    connection: Connection, question: RevenueQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """Answer a question from one snapshot: ``connection`` is in a REPEATABLE READ transaction.

    Raises:
        QueryError: the question cannot be answered; says why and what to do.
    """
    build = current_build(connection)
    data = _data_range(connection, build)
    span = effective_range(question.start, question.end, data)
    offset = _offset(question, build)
    rows, has_more = _rows(connection, question, span, data, offset, numbers.minor_digits(currency))
    next_cursor = None
    if has_more and question.limit is not None:
        next_cursor = envelope.make_cursor(build.build_id, offset + question.limit, _fingerprint(question))
    return Answer(rows, envelope.meta(build, span, currency, time_zone), next_cursor)


def _rows(
    connection: Connection,
    question: RevenueQuestion,
    span: DateRange | None,
    data: DateRange | None,
    offset: int,
    digits: int,
) -> tuple[list[Row], bool]:
    groups = [DIMENSIONS[name] for name in question.group_by]
    if span is None:
        # Nothing was ever sold and no dates were asked: there is no time to cut into buckets.
        return ([] if groups or question.grain else [_row((), {}, None, digits)]), False
    cut = _cut(question, span, data)
    columns = {dimension.column for dimension in groups} | question.filters.keys()
    shape = Shape(
        groups=groups,
        grain=question.grain,
        bucket_starts=[bucket.start for bucket in cut],
        span=span,
        parts=plan(columns, question.grain, span, data or span),
        filters=question.filters,
        sort=question.order,
        limit=None if question.limit is None else question.limit + 1,
        offset=offset,
    )
    found = connection.execute(statement(shape)).fetchall()
    names = result_columns(shape)
    by_start = {bucket.start: bucket for bucket in cut}
    rows = []
    for values in found[: question.limit]:
        row = dict(zip(names, values, strict=True))
        rows.append(_row(groups, row, by_start.get(row.get("bucket")), digits))  # type: ignore[arg-type]
    return rows, question.limit is not None and len(found) > question.limit


def _cut(question: RevenueQuestion, span: DateRange, data: DateRange | None) -> list[Bucket]:
    if question.grain is None:
        return []
    data_as_of = data.end if data else None
    return buckets(span, question.grain, question.start, question.end, data_as_of)


def _row(groups: Sequence[Dimension], found: Row, bucket: Bucket | None, digits: int) -> Row:
    row: Row = {}
    if bucket:
        row["bucket"] = {
            "start_date": bucket.start.isoformat(),
            "end_date": bucket.end.isoformat(),
            "is_partial": bucket.is_partial,
        }
    for dimension in groups:
        value = found[dimension.column] or None
        if dimension.name:
            row[dimension.group] = {"id": value, "name": found[f"{dimension.group}_name"]}
        else:
            row[dimension.group] = value
    sums = {name: found.get(name) or Decimal(0) for name in (*SUMS, *COUNTS)}
    total = found.get("total_net_revenue") or Decimal(0)
    return row | measure_values(sums, total, digits)


def _data_range(connection: Connection, build: Build) -> DateRange | None:
    if build.data_as_of is None:
        return None
    row = connection.execute("select min(sale_date) from marts.revenue_daily").fetchone()
    first = row[0] if row else None
    return DateRange(first or build.data_as_of, build.data_as_of)


def _offset(question: RevenueQuestion, build: Build) -> int:
    if question.cursor is None:
        return 0
    build_id, offset, fingerprint = envelope.read_cursor(question.cursor, int, int, str)
    if fingerprint != _fingerprint(question) or not 0 <= offset < 2**31:
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
    return int(offset)


def _fingerprint(question: RevenueQuestion) -> str:
    asked = (
        question.group_by,
        question.grain,
        question.start,
        question.end,
        sorted((name, sorted(values)) for name, values in question.filters.items()),
        question.order,
    )
    return hashlib.blake2b(msgspec.json.encode(asked), digest_size=8).hexdigest()
