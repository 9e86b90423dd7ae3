"""The tables of a report: beside each chart, the figures that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipeline.answers.answer import Row as Answered
from pipeline.answers.measures import MEASURES
from pipeline.findings.definitions import DEFINITIONS
from pipeline.findings.gathering import Findings, Part, label
from pipeline.findings.wording import (
    bucket_name,
    day,
    money,
    named,
    number,
    percent,
    segment,
    signed,
)

OTHERS = "All others"
NONE = "–"
# More rows than these are no reading: the query layer has them all.
MOST_ANOMALIES = 20
_KINDS = {measure.name: measure.kind for measure in MEASURES}
_FIGURES = (
    "net_revenue", "orders", "average_order_value", "customers", "net_units", "gross_revenue", "discounts",
    "returns", "shipping", "total_revenue", "tax", "margin", "cost_coverage",
)  # fmt: skip
_CUSTOMERS = ("customers", "new_customers", "returning_customers", "repeat_customers")


@dataclass(frozen=True)
class Column:
    """A column, and the name of what defines its figures."""

    title: str
    definition: str | None = None


@dataclass(frozen=True)
class Row:
    """What the row is about, its other cells, and the name of what defines them, when the row does."""

    head: str
    cells: Sequence[str]
    definition: str | None = None


@dataclass(frozen=True)
class Table:
    """A table; its first column says what the rows are about, the others are numbers."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str | None = None


def figures(findings: Findings) -> Table:
    """Every figure of the period, beside the earlier one's."""
    total = findings.total
    rows = [
        Row(DEFINITIONS[name].title, _compared(total, name, findings), definition=name) for name in _FIGURES
    ]
    columns = [Column("Figure"), Column(named(findings.period.span))]
    if findings.earlier:
        columns += [
            Column(named(findings.earlier)),
            Column("Change", "change"),
            Column("Change, %", "change"),
        ]
    return Table(f"Figures; amounts in {findings.currency}", columns, rows)


def trend(findings: Findings) -> Table:
    """The buckets of time."""
    columns = (
        Column(findings.grain.capitalize()),
        *(Column(DEFINITIONS[name].title, name) for name in ("net_revenue", "orders")),
    )
    rows = [
        Row(
            bucket_name(row["bucket"]["start_date"], findings.grain)
            + (" *" if row["bucket"]["is_partial"] else ""),
            (money(row["net_revenue"], findings.currency), number(row["orders"])),
        )
        for row in findings.trend
    ]
    is_cut = any(row["bucket"]["is_partial"] for row in findings.trend)
    note = "* not whole: cut by the period, or by the data's end" if is_cut else None
    return Table(f"Net revenue by {findings.grain}, {findings.currency}", columns, rows, note)


def parts(title: str, first: str, found: Sequence[Part], findings: Findings) -> Table:
    """Groups with their share of the total, beside what they brought before."""
    columns = [Column(first), Column("Net revenue", "net_revenue"), Column("Share", "share")]
    if findings.earlier:
        columns += [Column("Before", "net_revenue"), Column("Change", "change")]
    total = Decimal(findings.total["net_revenue"])
    return Table(
        f"{title}, {findings.currency}", columns, [_part(part, total, findings.currency) for part in found]
    )


def movers(findings: Findings) -> Table:
    """The products that gained most and lost most."""
    currency = findings.currency
    columns = (
        Column("Product"),
        Column("Change", "change"),
        Column("Before", "net_revenue"),
        Column("Net revenue", "net_revenue"),
        Column("Change, %", "change"),
    )
    rows = [
        Row(
            label(row["product"]),
            (
                signed(money(row["difference"], currency)),
                money(row["previous"], currency),
                money(row["net_revenue"], currency),
                _changed_by(Decimal(row["net_revenue"]), Decimal(row["previous"])),
            ),
        )
        for row in findings.movers
    ]
    return Table(f"Products that gained or lost most, {currency}", columns, rows)


def anomalies(findings: Findings) -> Table:
    """The days that are farthest from what was expected, in order of time."""
    currency = findings.currency
    farthest = sorted(findings.anomalies, key=lambda row: -abs(Decimal(row["score"])))[:MOST_ANOMALIES]
    rows = [
        Row(
            day(row["sale_date"]),
            (money(row["net_revenue"], currency), money(row["expected"], currency), number(row["score"], 1)),
        )
        for row in sorted(farthest, key=lambda row: str(row["sale_date"]))
    ]
    columns = (
        Column("Day"),
        Column("Net revenue", "net_revenue"),
        Column("Expected", "expected"),
        Column("Score", "score"),
    )
    count = len(findings.anomalies)
    note = f"The {MOST_ANOMALIES} farthest of {count}." if count > MOST_ANOMALIES else None
    return Table(f"Days out of the ordinary, {currency}", columns, rows, note)


def customers(findings: Findings) -> Table:
    """How many customers there were, beside the earlier period."""
    now, before = findings.customers, findings.earlier_customers
    columns = [Column("Customers"), Column(named(findings.period.span))]
    rows = [Row(DEFINITIONS[name].title, [number(now[name])], definition=name) for name in _CUSTOMERS]
    rows.append(Row(DEFINITIONS["repeat_rate"].title, [_rate(now["repeat_rate"])], definition="repeat_rate"))
    if before is not None and findings.earlier is not None:
        columns.append(Column(named(findings.earlier)))
        earlier = [*(number(before[name]) for name in _CUSTOMERS), _rate(before["repeat_rate"])]
        rows = [
            Row(row.head, [*row.cells, cell], row.definition) for row, cell in zip(rows, earlier, strict=True)
        ]
    return Table("New and returning customers", columns, rows)


def segments(findings: Findings) -> Table:
    """The segments that have customers."""
    columns = (
        Column("Segment", "segment"),
        Column("Customers", "customers"),
        Column("Of customers, %"),
        Column("Net revenue", "net_revenue"),
    )
    rows = [
        Row(
            segment(row["segment"]),
            (
                number(row["customers"]),
                _rate(row["share_of_customers"]),
                money(row["net_revenue"], findings.currency),
            ),
        )
        for row in findings.segments
        if row["customers"]
    ]
    return Table(f"Segments of the period's customers, {findings.currency}", columns, rows)


def source(findings: Findings, made: str) -> Table:
    """Where the figures come from."""
    data = "none" if findings.data is None else f"{day(findings.data.start)} to {day(findings.data.end)}"
    built_at = findings.build.built_at
    rows = (
        Row("Period", [f"{day(findings.period.span.start)} to {day(findings.period.span.end)}"]),
        Row("Why this period", [findings.period.why]),
        Row("Compared with", [named(findings.earlier) if findings.earlier else "nothing"]),
        Row("Data", [data]),
        Row("Build", [str(findings.build.build_id)]),
        Row("Built at", [f"{built_at:%Y-%m-%d %H:%M} UTC" if built_at else NONE]),
        Row("Time zone", [findings.time_zone]),
        Row("Currency", [findings.currency]),
        Row("Made at", [made]),
    )
    return Table("Where these figures come from", (Column("What"), Column("Value")), rows)


def _compared(total: Answered, name: str, findings: Findings) -> list[str]:
    cells = [_shown(name, total[name], findings.currency)]
    if not findings.earlier:
        return cells
    found = total["comparison"][name]
    is_share = _KINDS[name] == "ratio"
    return [
        *cells,
        _shown(name, found["previous"], findings.currency),
        signed(_shown(name, found["difference"], findings.currency)),
        # A change of a share in percent would be read as one in points.
        NONE if is_share else _changed_by(total[name], found["previous"]),
    ]


def _shown(name: str, value: Any, currency: str) -> str:
    if value is None:
        return NONE
    kind = _KINDS[name]
    if kind == "count":
        return number(value)
    return percent(value) if kind == "ratio" else money(value, currency)


def _changed_by(now: Any, before: Any) -> str:
    if now is None or before is None or Fraction(before) <= 0:
        return NONE
    return signed(percent((Fraction(now) - Fraction(before)) / Fraction(before)))


def _part(part: Part, total: Decimal, currency: str) -> Row:
    share = percent(Fraction(part.net_revenue) / Fraction(total)) if total > 0 else NONE
    cells = [money(part.net_revenue, currency), share]
    if part.previous is not None:
        cells += [money(part.previous, currency), signed(money(part.net_revenue - part.previous, currency))]
    return Row(OTHERS if part.name is None else part.name, cells)


def _rate(ratio: str | None) -> str:
    return NONE if ratio is None else percent(ratio)
