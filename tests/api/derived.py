"""The published tables of customers, orders and anomalies, computed in Python from lines and orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.api.published import Line, Order

Row = Sequence[object]
ZERO = Decimal(0)
WEEKS = 8
LEAST_REFERENCES = 6


def customer_orders(orders: Iterable[Order]) -> list[Row]:
    """customer_id, region, source, order_id, order_date, is_first_region, and the dates before.

    Those are the dates of the customer's two orders before, and of the two before in the region.
    """
    regions: dict[tuple[str, date, str, str], set[str]] = defaultdict(set)
    for order in orders:
        for line in order.lines:
            if line.quantity > 0 and line.customer_id is not None:
                key = (line.customer_id, order.order_date, order.source, order.order_id)
                regions[key].add(line.region)
    before = _before((customer, *order) for customer, *order in regions)
    before_in_region = _before(
        ((customer, region), *order) for (customer, *order), found in regions.items() for region in found
    )
    return [
        (
            customer, region, source, order_id, day, region == min(found),
            *before[customer, day, source, order_id],
            *before_in_region[(customer, region), day, source, order_id],
        )
        for (customer, day, source, order_id), found in regions.items()
        for region in found
    ]  # fmt: skip


def customer_returns_monthly(orders: Sequence[Order]) -> list[Row]:
    """region ('' for all in one sequence), step, order_month, earlier_month, orders."""
    counts: Counter[tuple[object, ...]] = Counter()
    for _, region, _, _, day, is_first_region, *before in customer_orders(orders):
        months = [found.replace(day=1) if isinstance(found, date) else date.min for found in (day, *before)]
        for step in (1, 2):
            counts[region, step, months[0], months[2 + step]] += 1
            if is_first_region:
                counts["", step, months[0], months[step]] += 1
    return [(*key, count) for key, count in counts.items()]


def customers_daily(orders: Sequence[Order]) -> list[Row]:
    """order_date, region ('' for all together), distinct customers."""
    found: dict[tuple[date, str], set[str]] = defaultdict(set)
    for order in orders:
        for line in order.lines:
            if order.is_sale and line.quantity > 0 and line.customer_id:
                found[order.order_date, ""].add(line.customer_id)
                found[order.order_date, line.region].add(line.customer_id)
    return [(*key, len(customers)) for key, customers in found.items()]


def _before(orders: Iterable[Any]) -> dict[Any, tuple[date | None, date | None]]:
    """By (sequence, date, source, order_id), the dates of the two orders before it in its sequence."""
    sequences: dict[Any, list[tuple[date, str, str]]] = defaultdict(list)
    for sequence, *order in orders:
        sequences[sequence].append(tuple(order))
    found: dict[Any, tuple[date | None, date | None]] = {}
    for sequence, of_sequence in sequences.items():
        days: tuple[date | None, date | None] = (None, None)
        for order in sorted(of_sequence):
            found[sequence, *order] = days
            days = (order[0], days[0])
    return found


def purchases_monthly(orders: Sequence[Order]) -> list[Row]:
    """product_id, category, payment_method (two of them ''), order_month, earlier_month, the three counts."""
    bought: dict[tuple[str, str, str], dict[str, set[date]]] = defaultdict(lambda: defaultdict(set))
    counts: dict[tuple[object, ...], Counter[str]] = defaultdict(Counter)
    for order in orders:
        month = order.order_date.replace(day=1)
        counting = [line for line in order.lines if line.quantity > 0 or not order.is_sale]
        for group in {group for line in counting for group in _groups(line)}:
            kind = "orders" if order.is_sale else "return_orders"
            counts[*group, month, date.min][kind] += 1
        for line in counting:
            if order.is_sale and line.customer_id:
                for group in _groups(line):
                    bought[group][line.customer_id].add(month)
    for of_customers, customers in bought.items():
        for months in customers.values():
            ordered = [date.min, *sorted(months)]
            for earlier, month in pairwise(ordered):
                counts[*of_customers, month, earlier]["customers"] += 1
    kinds = ("orders", "return_orders", "customers")
    return [(*key, *(found[kind] for kind in kinds)) for key, found in counts.items()]


def _groups(line: Line) -> list[tuple[str, str, str]]:
    return [(line.product_id, "", ""), ("", line.category, ""), ("", "", line.payment_method)]


def orders_daily(orders: Iterable[Order]) -> list[Row]:
    """order_date, source, orders, return_orders."""
    counts: dict[tuple[date, str], Counter[bool]] = defaultdict(Counter)
    for order in orders:
        counts[order.order_date, order.source][order.is_sale] += 1
    return [(*key, count[True], count[False]) for key, count in counts.items()]


def orders_by_region_daily(orders: Iterable[Order]) -> list[Row]:
    """order_date, source, region, orders, return_orders."""
    counts: dict[tuple[date, str, str], Counter[bool]] = defaultdict(Counter)
    for order in orders:
        for region in {line.region for line in order.lines if line.quantity > 0 or not order.is_sale}:
            counts[order.order_date, order.source, region][order.is_sale] += 1
    return [(*key, count[True], count[False]) for key, count in counts.items()]


def revenue_anomalies(lines: Sequence[Line]) -> list[Row]:
    """sale_date, weekday, line_count, net_revenue, expected, spread, score, is_anomaly."""
    if not lines:
        return []
    counts = Counter(line.sale_date for line in lines)
    first, last = min(counts), max(counts)
    net = {first + timedelta(days=n): ZERO for n in range((last - first).days + 1)}
    for line in lines:
        net[line.sale_date] += line.net
    return [(day, day.isoweekday(), counts[day], revenue, *_judged(net, day)) for day, revenue in net.items()]


def _judged(
    net: dict[date, Decimal], day: date
) -> tuple[Decimal | None, Decimal | None, Decimal | None, bool]:
    weeks = [day + timedelta(weeks=n) for n in range(-WEEKS, WEEKS + 1) if n]
    references = [net[other] for other in weeks if other in net]
    if len(references) < LEAST_REFERENCES:
        return None, None, None, False
    expected = _rounded(_median(references), 12)
    spread = _rounded(_spread(net, day, references, expected), 12)
    if spread == 0:
        return expected, spread, None, False
    with localcontext(prec=60):
        score = (net[day] - expected) / spread
    score = _rounded(max(min(score, Decimal(1_000_000)), Decimal(-1_000_000)), 6)
    return expected, spread, score, abs(score) > Decimal("3.5")


def _spread(net: dict[date, Decimal], day: date, references: list[Decimal], expected: Decimal) -> Decimal:
    """The largest of the references' robust deviation and of what a usual day may differ by."""
    deviations = [abs(reference - expected) for reference in references]
    with localcontext(prec=60):
        deviation = Decimal("1.4826") * _median(deviations)
        if deviation == 0:
            deviation = Decimal("1.253314") * sum(deviations, ZERO) / len(deviations)
        if expected:
            return max(deviation, abs(expected) / 20)
        around = (day + timedelta(days=n) for n in range(-7 * WEEKS, 7 * WEEKS + 1) if n)
        selling = [abs(net[other]) for other in around if net.get(other)]
        return max(deviation, sum(selling, ZERO) / len(selling) if selling else ZERO)


def _median(values: list[Decimal]) -> Decimal:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _rounded(value: Decimal, digits: int) -> Decimal:
    with localcontext(prec=60):
        return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
