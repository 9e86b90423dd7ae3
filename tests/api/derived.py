"""The published tables of customers, orders and anomalies, computed in Python from lines and orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.api.published import Line, Order

Row = Sequence[object]
ZERO = Decimal(0)
WEEKS = 8
LEAST_REFERENCES = 6


def customer_orders(orders: Iterable[Order]) -> list[Row]:
    """customer_id, source, order_id, order_date and the dates of the customer's two orders before."""
    placed: dict[str, list[tuple[date, str, str]]] = defaultdict(list)
    for order in orders:
        for customer in {line.customer_id for line in order.lines if line.quantity > 0}:
            if customer is not None:
                placed[customer].append((order.order_date, order.source, order.order_id))
    return [
        (customer, source, order_id, day, previous, second)
        for customer, of_customer in placed.items()
        for source, order_id, day, previous, second in _with_previous(of_customer)
    ]


def customer_orders_by_region(orders: Iterable[Order]) -> list[Row]:
    """customer_id, region, then as customer_orders, within the region."""
    placed: dict[tuple[str, str], list[tuple[date, str, str]]] = defaultdict(list)
    for order in orders:
        for customer, region in {
            (line.customer_id, line.region) for line in order.lines if line.quantity > 0
        }:
            if customer is not None:
                placed[customer, region].append((order.order_date, order.source, order.order_id))
    return [
        (customer, region, source, order_id, day, previous, second)
        for (customer, region), of_pair in placed.items()
        for source, order_id, day, previous, second in _with_previous(of_pair)
    ]


def customer_returns_monthly(orders: Sequence[Order]) -> list[Row]:
    """region ('' for all in one sequence), step, order_month, earlier_month, orders."""
    counts: Counter[tuple[object, ...]] = Counter()
    of_all = [("", *row[3:]) for row in customer_orders(orders)]
    by_region = [(row[1], *row[4:]) for row in customer_orders_by_region(orders)]
    for region, *days in [*of_all, *by_region]:
        months = [day.replace(day=1) if isinstance(day, date) else date.min for day in days]
        for step in (1, 2):
            counts[region, step, months[0], months[step]] += 1
    return [(*key, count) for key, count in counts.items()]


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


def _with_previous(
    orders: list[tuple[date, str, str]],
) -> list[tuple[str, str, date, date | None, date | None]]:
    orders = sorted(orders)
    days: list[date | None] = [None, None, *(day for day, _, _ in orders)]
    return [
        (source, order_id, day, days[index + 1], days[index])
        for index, (day, source, order_id) in enumerate(orders)
    ]


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
