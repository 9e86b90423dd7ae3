"""Days far from what their weekday and season suggest, and the lines behind a number."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from statistics import mean, median

from tests.e2e.second_computation.reference import Reference, conditions
from tests.e2e.second_computation.revenue import Asked
from tests.e2e.second_computation.values import Row, Whole, ratio

_WEEKS, _FEWEST = 8, 6
_LIMIT, _MOST = Fraction("3.5"), Fraction(1_000_000)
_CHANGED = ("net_revenue", "gross_revenue", "discounts", "returns", "shipping", "units", "units_returned")
_DAYS = """
select
    sale_date, sum(net_revenue) as net_revenue, sum(gross_revenue) as gross_revenue,
    sum(discounts) as discounts, sum(returns) as returns, sum(shipping) as shipping,
    coalesce(sum(quantity) filter (where is_sale_line), 0) as units,
    coalesce(-sum(quantity) filter (where not is_sale_line), 0) as units_returned
from lines group by sale_date
"""
_LINES = """
select
    sale_date, source, order_id, product_id, occurrence,
    product_id || ' #' || occurrence as line_key, category, customer_id, region, payment_method,
    cast(quantity as bigint) as quantity, unit_price, discount, shipping, unit_cost, gross_revenue,
    discounts, returns, net_revenue, cast(0 as decimal(18, 6)) as tax, cost, batch_id, file_name, row_number
from lines
where sale_date between $start and $end {filters}
order by sale_date desc, source desc, order_id desc, product_id desc, occurrence desc
"""


def line_count(reference: Reference, asked: Asked) -> int:
    """How many lines there are under the filters."""
    start, end = reference.span(asked.start, asked.end)
    query = f"select count(*) from lines where sale_date between $start and $end {conditions(asked.filters)}"
    count: int = reference.select(query, start=start, end=end, **asked.filters)[0][0]
    return count


def lines(reference: Reference, asked: Asked) -> list[Row]:
    """The lines under the filters, the newest first."""
    start, end = reference.span(asked.start, asked.end)
    query = _LINES.format(filters=conditions(asked.filters))
    return [
        {
            "product": reference.named("product", row.pop("product_id")),
            "customer": reference.named("customer", row.pop("customer_id")),
            **row,
            "discount": ratio(Fraction(row["discount"])),
        }
        for row in reference.rows(query, start=start, end=end, **asked.filters)
    ]


def changes(before: Reference, after: Reference, batch_ids: list[int]) -> list[Row]:
    """Each day and measure that differs, the old and the new value; these batches did it."""
    old = {row["sale_date"]: row for row in before.rows(_DAYS)}
    new = {row["sale_date"]: row for row in after.rows(_DAYS)}
    nothing = dict.fromkeys(_CHANGED, Decimal(0))
    made = []
    for day in sorted(old.keys() | new.keys()):
        for measure in _CHANGED:
            was, now = old.get(day, nothing)[measure], new.get(day, nothing)[measure]
            kind = Whole if measure in ("units", "units_returned") else Decimal
            if was != now:
                made.append(
                    {"sale_date": day, "measure": measure, "old": kind(was), "new": kind(now),
                     "difference": kind(now - was), "batch_ids": batch_ids}
                )  # fmt: skip
    return made


@cache
def anomalies(reference: Reference) -> list[Row]:
    """Every day of the data beside what was to be expected.

    Expected is the median of the reference days: the same weekday in the 8 weeks before and after.
    The spread is the greatest of their scaled absolute deviation from it (the median one, else the mean
    one), a twentieth of what is expected and, when that is 0, the mean of days with sales within 8 weeks.
    """
    found = dict(reference.select("select sale_date, sum(net_revenue) from lines group by all"))
    count = (reference.last - reference.first).days + 1
    days = [reference.first + timedelta(days=number) for number in range(count)]
    net = {day: Fraction(found.get(day, 0)) for day in days}
    rows = []
    for day in days:
        weeks = [timedelta(weeks=number) for number in range(1, _WEEKS + 1)]
        alike = [net[other] for step in weeks for other in (day - step, day + step) if other in net]
        near = [
            abs(net[other])
            for number in range(-7 * _WEEKS, 7 * _WEEKS + 1)
            if number and net.get(other := day + timedelta(days=number))
        ]
        expected = _cut(median(alike)) if len(alike) >= _FEWEST else None
        spread = None if expected is None else _cut(_spread(alike, expected, near))
        score = None
        if expected is not None and spread:
            score = max(-_MOST, min(_MOST, (net[day] - expected) / spread))
        rows.append(
            {
                "sale_date": day,
                "weekday": day.isoweekday(),
                "net_revenue": _money(net[day]),
                "expected": None if expected is None else _money(expected),
                "spread": None if spread is None else _money(spread),
                "score": ratio(score),
                "is_anomaly": score is not None and abs(score) > _LIMIT,
            }
        )
    return rows


def _spread(alike: Sequence[Fraction], expected: Fraction, near: Sequence[Fraction]) -> Fraction:
    deviations = [abs(value - expected) for value in alike]
    scaled = Fraction("1.4826") * median(deviations) or Fraction("1.253314") * mean(deviations)
    usual = mean(near) if near and not expected else Fraction(0)
    return max(scaled, abs(expected) / 20, usual)


def _cut(value: Fraction) -> Fraction:
    """As many digits as the published column has."""
    units = int(abs(value) * 10**12 + Fraction(1, 2))
    return Fraction(units if value >= 0 else -units, 10**12)


def _money(value: Fraction) -> Decimal:
    return (Decimal(int(value * 10**12)) if value else Decimal(0)).scaleb(-12)


def within(rows: Sequence[Row], start: date | None, end: date | None) -> list[Row]:
    """The days of a range."""
    return [
        row for row in rows
        if (start is None or row["sale_date"] >= start) and (end is None or row["sale_date"] <= end)
    ]  # fmt: skip
