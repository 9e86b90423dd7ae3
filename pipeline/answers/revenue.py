"""Questions about revenue, answered from what is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import Build, current_build
from pipeline.answers.comparison import Compare, Measured, Shift, compared, shift_of
from pipeline.answers.comparison_sql import EARLIER_COLUMNS, compared_statement
from pipeline.answers.dates import Bucket, DateRange, buckets, effective_range
from pipeline.answers.dimensions import GROUPS, Dimension, dimension_of
from pipeline.answers.errors import QueryError
from pipeline.answers.extras import require_declared
from pipeline.answers.measures import COUNTS, MEASURES, SORTABLE, SUMS, exact_quotients, measure_values
from pipeline.answers.pieces import BUCKET, Shape, Top
from pipeline.answers.relations import BELOW_MONTHS, Part, plan, whole_months
from pipeline.answers.revenue_sql import result_columns, statement
from pipeline.answers.streaming import Streamed

SORT_NAMES = (*SORTABLE, *GROUPS, "bucket")


@dataclass(frozen=True)
class RevenueQuestion:
    """A question: what to group by, over which dates, under which filters, in which order.

    ``start`` and ``end`` are inclusive; None takes the data's own. ``filters`` maps the names of
    ``dimensions.FILTERS`` to accepted values; both may name columns of the files (``extra.NAME``).
    ``sort`` names measures, groups or ``bucket``, with ``-`` for descending; without it, buckets come
    in order of time and groups by falling net revenue. ``limit`` None asks for every row. ``top`` asks
    for the first groups alone. ``compare`` adds the figures of an earlier range.

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
    compare: Compare | None = None
    top: Top | None = None

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
class _Scene:
    """What the rows of an answer depend on besides the question."""

    connection: Connection
    data: DateRange | None
    digits: int


def answer(
    connection: Connection, question: RevenueQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """Answer a question from one snapshot: ``connection`` is in a REPEATABLE READ transaction.

    Raises:
        QueryError: the question cannot be answered; says why and what to do.
    """
    build = current_build(connection)
    require_declared(connection, question.group_by, question.filters)
    data = data_range(connection, build)
    span = effective_range(question.start, question.end, data)
    scene = _Scene(connection, data, numbers.minor_digits(currency))
    meta = envelope.meta(build, span, currency, time_zone)
    asked = _fingerprint(question)
    offset = offset_of(question.cursor, build, asked)
    shift = None
    if question.compare and span is not None:
        shift = shift_of(question.compare, question.grain, span)
        other = envelope.written_range(shift.range(span))
        meta["comparison"] = {"kind": question.compare, "range": other}
    rows = _rows(scene, question, span, offset, shift)
    cursor = None
    if question.limit is not None:
        rows, cursor = paged(list(rows), question.limit, build, offset, asked)
    return Answer(rows, meta, cursor, _keys(question))


def _keys(question: RevenueQuestion) -> tuple[str, ...]:
    return (
        *(["rank"] if question.top else []),
        *(["bucket"] if question.grain else []),
        *question.group_by,
        *(measure.name for measure in MEASURES),
        *(["comparison"] if question.compare else []),
    )


def _rows(
    scene: _Scene, question: RevenueQuestion, span: DateRange | None, offset: int, shift: Shift | None
) -> list[Row] | Streamed:
    """The rows, one more than the limit when there are more; beside those of the range ``shift`` earlier."""
    groups = [dimension_of(name) for name in question.group_by]
    if span is None:
        # Nothing was ever sold and no dates were asked: there is no time to cut into buckets.
        return [] if groups or question.grain else [_row(scene, (), {}, None)]
    cut = _cut(question, span, scene.data)
    shape = Shape(
        groups=groups,
        grain=question.grain,
        bucket_starts=[bucket.start for bucket in cut],
        span=span,
        parts=_parts(scene, question, span),
        filters=question.filters,
        sort=question.order,
        limit=fetched(question.limit),
        offset=offset,
        top=question.top,
        months=_months(scene, question, span),
    )
    names = result_columns(shape)
    by_start: dict[date | None, Bucket] = {bucket.start: bucket for bucket in cut}
    composed = statement(shape)
    if shift is not None:
        earlier = shift.range(span)
        parts, months = _parts(scene, question, earlier), _months(scene, question, earlier)
        composed = compared_statement(shape, shift, parts, months)

    def make_row(values: tuple[Any, ...]) -> Row:
        found = dict(zip(names, values, strict=False))
        before = dict(zip(EARLIER_COLUMNS, values[len(names) :], strict=True)) if shift else None
        return _row(scene, groups, found, by_start.get(found.get(BUCKET)), before)

    if question.limit is None and groups:
        return Streamed(scene.connection, composed, make_row)
    return [make_row(values) for values in scene.connection.execute(composed).fetchall()]


def _parts(scene: _Scene, question: RevenueQuestion, span: DateRange) -> list[Part]:
    columns = {dimension_of(name).column for name in question.group_by} | question.filters.keys()
    return plan(columns, question.grain, span, scene.data or span)


def _months(scene: _Scene, question: RevenueQuestion, span: DateRange) -> DateRange | None:
    return None if question.grain in BELOW_MONTHS else whole_months(span, scene.data or span)


def _cut(question: RevenueQuestion, span: DateRange, data: DateRange | None) -> list[Bucket]:
    if question.grain is None:
        return []
    data_as_of = data.end if data else None
    return buckets(span, question.grain, question.start, question.end, data_as_of)


def _row(
    scene: _Scene,
    groups: Sequence[Dimension],
    found: Row,
    bucket: Bucket | None,
    earlier: Row | None = None,
) -> Row:
    row: Row = {"rank": found["rank"]} if "rank" in found else {}
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
    now = _measures(found, scene.digits)
    row |= now.written
    if earlier is not None:
        row["comparison"] = compared(now, _measures(earlier, scene.digits), scene.digits)
    return row


def _measures(found: Row, digits: int) -> Measured:
    sums = {name: found.get(name) or Decimal(0) for name in (*SUMS, *COUNTS)}
    total = found.get("total_net_revenue") or Decimal(0)
    return Measured(measure_values(sums, total, digits), exact_quotients(sums, total))


def data_range(connection: Connection, build: Build) -> DateRange | None:
    """From the first published sale to the latest; None before the first."""
    if build.data_as_of is None:
        return None
    row = connection.execute("select min(sale_date) from marts.revenue_daily").fetchone()
    first = row[0] if row else None
    return DateRange(first or build.data_as_of, build.data_as_of)


def _fingerprint(question: RevenueQuestion) -> str:
    return fingerprint(
        question.group_by,
        question.grain,
        question.start,
        question.end,
        sorted((name, sorted(values)) for name, values in question.filters.items()),
        question.order,
        question.compare,
    )
