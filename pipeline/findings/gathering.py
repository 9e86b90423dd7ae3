"""What a report tells, asked of the query layer."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection

from pipeline.answers.anomalies import AnomaliesQuestion, anomalies
from pipeline.answers.answer import Answer, Row
from pipeline.answers.builds import Build, current_build
from pipeline.answers.customers import SummaryQuestion, summary
from pipeline.answers.dates import DateRange
from pipeline.answers.movers import MoversQuestion, movers
from pipeline.answers.revenue import RevenueQuestion, answer, data_range
from pipeline.answers.segments import SegmentsQuestion, segments
from pipeline.findings.periods import Period, chosen_period, earlier_period, fitting_grain, within_data

# How many groups have a row of their own.
TOP = 10
# How many products are named that gained, and as many that lost.
MOVERS = 5


@dataclass(frozen=True)
class Part:
    """What one group brought, and what it brought before (None where nothing is compared).

    Without a name it is all other groups together.
    """

    name: str | None
    net_revenue: Decimal
    previous: Decimal | None


@dataclass(frozen=True)
class Findings:
    """The answers that a report is made of; rows are as the API writes them.

    Attributes:
        data: the first and the latest sale of all; None where there is none.
        earlier: the dates that figures are compared with; None without any.
        total: every measure, with ``comparison`` where there is an earlier period.
        grain: what a row of ``trend`` is.
        regions: with ``categories`` and ``products``: the largest first; each list sums up to the total.
        movers: the products that gained most and those that lost most.
        anomalies: in order of time.
        top_customers: the largest first, guests left out; not all of them.
    """

    period: Period
    data: DateRange | None
    earlier: DateRange | None
    currency: str
    time_zone: str
    build: Build
    total: Row
    grain: str
    trend: list[Row]
    regions: list[Part]
    categories: list[Part]
    products: list[Part]
    movers: list[Row]
    anomalies: list[Row]
    customers: Row
    earlier_customers: Row | None
    top_customers: list[Part]
    segments: list[Row]


def gather(
    connection: Connection, start: date | None, end: date | None, *, currency: str, time_zone: str
) -> Findings:
    """Ask for everything in one snapshot: ``connection`` is in a REPEATABLE READ transaction.

    Raises:
        QueryError: nothing is published, or the start is after the end.
    """
    build = current_build(connection)
    data = data_range(connection, build)
    period = chosen_period(start, end, data)
    earlier = earlier_period(period.span, data)
    scene = _Scene(connection, period.span, earlier, currency, time_zone)
    [total] = scene.revenue().rows
    grain, trend = _trend(scene, data)
    return Findings(
        period=period,
        data=data,
        earlier=earlier,
        currency=currency,
        time_zone=time_zone,
        build=build,
        total=total,
        grain=grain,
        trend=trend,
        regions=_parts(scene, "region", total),
        categories=_parts(scene, "category", total),
        products=_parts(scene, "product", total),
        movers=_movers(scene),
        anomalies=scene.rows(anomalies, AnomaliesQuestion(period.span.start, period.span.end)),
        customers=_customers(scene, period.span),
        earlier_customers=_customers(scene, earlier) if earlier else None,
        top_customers=_top_customers(scene),
        segments=scene.rows(
            segments,
            SegmentsQuestion(as_of=period.span.end, start=period.span.start, end=period.span.end),
        ),
    )


def label(group: Any) -> str:
    """How a group is called: a name with its id, an id, or the group itself."""
    if not isinstance(group, dict):
        return str(group)
    identity, name = group["id"], group["name"]
    return str(identity) if name in (None, identity) else f"{name} ({identity})"


def has_sales(row: Row) -> bool:
    """Whether anything was sold or came back; an order's lines may be of later days than the order."""
    return any(Decimal(row[name]) for name in ("gross_revenue", "returns", "units", "units_returned"))


@dataclass(frozen=True)
class _Scene:
    """Whom to ask, and about which dates."""

    connection: Connection
    span: DateRange
    earlier: DateRange | None
    currency: str
    time_zone: str

    def rows(self, query: Any, question: Any) -> list[Row]:
        """All rows of an answer."""
        found = query(self.connection, question, currency=self.currency, time_zone=self.time_zone)
        return list(found.rows)

    def revenue(self, **question: Any) -> Answer:
        """Measures of the period, beside those of the earlier one."""
        asked = RevenueQuestion(
            start=self.span.start,
            end=self.span.end,
            compare="previous_period" if self.earlier else None,
            **question,
        )
        return answer(self.connection, asked, currency=self.currency, time_zone=self.time_zone)


def _trend(scene: _Scene, data: DateRange | None) -> tuple[str, list[Row]]:
    """The grain, and the buckets in order of time; of days without data there are none."""
    span = within_data(scene.span, data)
    if span is None:
        return "day", []
    grain = fitting_grain(span)
    return grain, scene.rows(answer, RevenueQuestion(grain=grain, start=span.start, end=span.end))


def _parts(scene: _Scene, group: str, total: Row) -> list[Part]:
    """The largest groups, and the others in sum where they brought anything, now or before."""
    found = scene.revenue(group_by=(group,), limit=TOP)
    named = [_part(label(row[group]), row) for row in found.rows]
    all_of_them = _part(None, total)
    rest = Part(
        None,
        all_of_them.net_revenue - sum(part.net_revenue for part in named),
        None
        if all_of_them.previous is None
        else all_of_them.previous - sum(part.previous or 0 for part in named),
    )
    has_more = found.next_cursor is not None or bool(rest.previous)
    return [*named, rest] if has_more else named


def _part(name: str | None, row: Row) -> Part:
    previous = row["comparison"]["net_revenue"]["previous"] if "comparison" in row else None
    return Part(name, Decimal(row["net_revenue"]), None if previous is None else Decimal(previous))


def _movers(scene: _Scene) -> list[Row]:
    if scene.earlier is None:
        return []
    return scene.rows(movers, MoversQuestion(scene.span, scene.earlier, MOVERS))


def _customers(scene: _Scene, span: DateRange) -> Row:
    [row] = scene.rows(summary, SummaryQuestion(start=span.start, end=span.end))
    return row


def _top_customers(scene: _Scene) -> list[Part]:
    # All guests together are one of the groups.
    rows = scene.revenue(group_by=("customer",), limit=TOP + 1).rows
    known = [row for row in rows if row["customer"]["id"] is not None]
    return [_part(label(row["customer"]), row) for row in known[:TOP]]
