"""Segments: customers by how recently, how often and for how much they bought (RFM)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, get_args

from psycopg import Connection

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import Build, current_build
from pipeline.answers.dates import DateRange, effective_range
from pipeline.answers.errors import QueryError
from pipeline.answers.revenue import data_range
from pipeline.answers.segments_sql import BY_SEGMENT, CUT_POINTS, MEMBERS
from pipeline.answers.streaming import Streamed

SegmentName = Literal[
    "champions", "loyal", "potential_loyalists", "new", "promising", "needs_attention", "about_to_sleep",
    "at_risk", "cant_lose_them", "hibernating", "lost",
]  # fmt: skip
SEGMENTS: tuple[SegmentName, ...] = get_args(SegmentName)

# The grid of recency and of frequency with money that shops commonly use, without its overlaps: rows
# are recency scores 1 to 5, columns the mean of the frequency and money scores, half up, 1 to 5.
GRID: tuple[tuple[SegmentName, ...], ...] = (
    ("lost", "hibernating", "at_risk", "cant_lose_them", "cant_lose_them"),
    ("hibernating", "about_to_sleep", "at_risk", "at_risk", "at_risk"),
    ("promising", "about_to_sleep", "needs_attention", "loyal", "loyal"),
    ("promising", "potential_loyalists", "loyal", "champions", "champions"),
    ("new", "potential_loyalists", "loyal", "champions", "champions"),
)
QUINTILES = (Decimal("0.2"), Decimal("0.4"), Decimal("0.6"), Decimal("0.8"))


@dataclass(frozen=True)
class SegmentsQuestion:
    """Which orders count, and where the scores are cut.

    ``start`` and ``end`` are inclusive; nothing after ``as_of`` counts, and recency is counted up
    to it; None takes the data's own. ``fractions`` of the customers, or a dimension's own cut
    points (days, orders, money; four, rising), part its scores. ``members`` asks for customers
    instead of segments, ``segments`` for some segments alone.

    Raises:
        QueryError: the cuts cannot be used.
    """

    as_of: date | None = None
    start: date | None = None
    end: date | None = None
    fractions: tuple[Decimal, ...] = QUINTILES
    recency_cuts: tuple[int, ...] = ()
    frequency_cuts: tuple[int, ...] = ()
    monetary_cuts: tuple[Decimal, ...] = ()
    members: bool = False
    segments: tuple[str, ...] = ()
    limit: int | None = None
    cursor: str | None = None

    def __post_init__(self) -> None:
        _check_rising("cuts", self.fractions)
        if not 0 < self.fractions[0] < self.fractions[-1] < 1:
            raise QueryError("invalid_value", "cuts are fractions between 0 and 1.", "cuts")
        for name in ("recency_cuts", "frequency_cuts", "monetary_cuts"):
            if getattr(self, name):
                _check_rising(name, getattr(self, name))


def _check_rising(name: str, cuts: Sequence[Any]) -> None:
    if len(cuts) != 4 or any(low >= high for low, high in pairwise(cuts)):
        raise QueryError("invalid_value", f"{name} takes four rising numbers, for five scores.", name)


def segments(
    connection: Connection, question: SegmentsQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """A row for each segment, or for each of its members.

    Raises:
        QueryError: the question cannot be answered.
    """
    build = current_build(connection)
    span = _span(question, data_range(connection, build))
    as_of = question.as_of or build.data_as_of
    mark = _fingerprint(question)
    offset = offset_of(question.cursor, build, mark)
    cuts = _cut_points(connection, question, span, as_of)
    values = {
        "start": span.start if span else None,
        "end": span.end if span else None,
        "as_of": as_of,
        "recency_cuts": list(cuts[0]),
        "frequency_cuts": list(cuts[1]),
        "monetary_cuts": list(cuts[2]),
        "grid": [name for row in GRID for name in row],
        "segments": list(question.segments),
        "limit": fetched(question.limit),
        "offset": offset,
    }
    digits = numbers.minor_digits(currency)
    meta = envelope.meta(build, span, currency, time_zone)
    meta["segmentation"] = _segmentation(question, as_of, cuts, digits)
    if question.members:
        rows, cursor = _members(connection, question, values, build, offset, mark, digits)
        return Answer(rows, meta, cursor)
    return Answer(_by_segment(connection, question, values, digits), meta)


def _span(question: SegmentsQuestion, data: DateRange | None) -> DateRange | None:
    """The range, which nothing after the as-of date belongs to."""
    as_of, end = question.as_of, question.end
    if as_of is None:
        return effective_range(question.start, end, data)
    if question.start is not None and question.start > as_of:
        raise QueryError(
            "invalid_range",
            f"start_date {question.start} is after as_of {as_of}: nothing can count.",
            "start_date",
        )
    return effective_range(question.start, min(end, as_of) if end else as_of, data)


def _cut_points(
    connection: Connection, question: SegmentsQuestion, span: DateRange | None, as_of: date | None
) -> tuple[Sequence[int], Sequence[int], Sequence[Decimal]]:
    found = None
    if span is not None:
        found = connection.execute(
            CUT_POINTS,
            {"start": span.start, "end": span.end, "as_of": as_of, "fractions": list(question.fractions)},
        ).fetchone()
    recency, frequency, monetary = found or ((), (), ())
    return (
        question.recency_cuts or recency,
        question.frequency_cuts or frequency,
        question.monetary_cuts or monetary,
    )


def _segmentation(
    question: SegmentsQuestion,
    as_of: date | None,
    cuts: tuple[Sequence[int], Sequence[int], Sequence[Decimal]],
    digits: int,
) -> Row:
    recency, frequency, monetary = cuts
    return {
        "as_of": as_of.isoformat() if as_of else None,
        "fractions": [numbers.half_up(fraction, numbers.RATIO_DIGITS) for fraction in question.fractions],
        "cut_points": {
            "recency_days": list(recency),
            "frequency": list(frequency),
            "monetary": [numbers.money(cut, digits) for cut in monetary],
        },
    }


def _by_segment(
    connection: Connection, question: SegmentsQuestion, values: dict[str, Any], digits: int
) -> list[Row]:
    found: dict[str, list[Any]] = {
        segment: sums for segment, *sums in connection.execute(BY_SEGMENT, values).fetchall()
    }
    all_customers = sum(sums[0] for sums in found.values())
    all_revenue = sum((sums[3] for sums in found.values()), Decimal(0))
    rows = []
    for segment in SEGMENTS:
        if question.segments and segment not in question.segments:
            continue
        customers, recency, orders, net_revenue = found.get(segment, [0, 0, 0, Decimal(0)])
        rows.append(
            {
                "segment": segment,
                "customers": customers,
                "share_of_customers": numbers.ratio(customers, all_customers),
                "orders": int(orders),
                "net_revenue": numbers.money(net_revenue, digits),
                "share_of_total": numbers.ratio(net_revenue, all_revenue),
                "mean_recency_days": numbers.ratio(recency, customers),
                "mean_orders": numbers.ratio(orders, customers),
                "mean_net_revenue": numbers.ratio(net_revenue, customers),
            }
        )
    return rows


def _members(
    connection: Connection,
    question: SegmentsQuestion,
    values: dict[str, Any],
    build: Build,
    offset: int,
    mark: str,
    digits: int,
) -> tuple[list[Row] | Streamed, str | None]:
    def make_row(found: tuple[Any, ...]) -> Row:
        customer_id, name, last_order_date, recency, frequency, monetary, *scores, segment = found
        return {
            "customer": {"id": customer_id, "name": name},
            "segment": segment,
            "last_order_date": last_order_date.isoformat(),
            "recency_days": recency,
            "orders": frequency,
            "net_revenue": numbers.money(monetary, digits),
            "recency_score": scores[0],
            "frequency_score": scores[1],
            "monetary_score": scores[2],
        }

    if question.limit is None:
        return Streamed(connection, MEMBERS, make_row, values), None
    rows = [make_row(found) for found in connection.execute(MEMBERS, values).fetchall()]
    return paged(rows, question.limit, build, offset, mark)


def _fingerprint(question: SegmentsQuestion) -> str:
    return fingerprint(
        "segments",
        question.as_of,
        question.start,
        question.end,
        question.fractions,
        question.recency_cuts,
        question.frequency_cuts,
        question.monetary_cuts,
        question.members,
        sorted(question.segments),
    )
