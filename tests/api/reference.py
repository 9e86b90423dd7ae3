"""The answer to a question about revenue, computed line by line in Python."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pipeline.answers.revenue import RevenueQuestion
from tests.api.published import ZERO, Line, current_names, customer_names, numbered, orders_of

Key = tuple[Any, ...]
ATTRIBUTES = {
    "product": "product_id",
    "category": "category",
    "region": "region",
    "payment_method": "payment_method",
    "customer": "customer_id",
    "source": "source",
}


def expected_rows(lines: Sequence[Line], question: RevenueQuestion) -> list[dict[str, Any]]:
    """Every row of the answer, in its default order, with values as in JSON."""
    lines = numbered(lines)
    start = question.start or min(line.sale_date for line in lines)
    end = question.end or max(line.sale_date for line in lines)
    chosen = [
        line
        for line in lines
        if all(getattr(line, name) in values for name, values in question.filters.items())
    ]
    in_range = [line for line in chosen if start <= line.sale_date <= end]
    total = sum((line.net for line in in_range), ZERO)
    groups = {_group(line, question) for line in in_range} if question.group_by else {()}
    starts = _bucket_starts(start, end, question.grain)

    of_row: dict[Key, list[Line]] = defaultdict(list)
    for line in in_range:
        of_row[_bucket(line.sale_date, question.grain), *_group(line, question)].append(line)
    orders: dict[Key, set[tuple[str, str]]] = defaultdict(set)
    returned: dict[Key, set[tuple[str, str]]] = defaultdict(set)
    customers: dict[Key, set[str]] = defaultdict(set)
    kept = {(line.source, line.order_id, line.product_id, line.occurrence) for line in chosen}
    for order in orders_of(lines):
        if not start <= order.order_date <= end:
            continue
        for line in order.lines:
            if (line.source, line.order_id, line.product_id, line.occurrence) not in kept:
                continue
            key = (_bucket(order.order_date, question.grain), *_group(line, question))
            if not order.is_sale:
                returned[key].add((order.source, order.order_id))
            elif line.quantity > 0:
                orders[key].add((order.source, order.order_id))
                if line.customer_id:
                    customers[key].add(line.customer_id)

    names = current_names(lines)
    buyers = customer_names(lines)
    keys = [(bucket, *group) for bucket in starts for group in groups]
    keys.sort(
        key=lambda key: (
            key[0] or date.min,
            -sum((line.net for line in of_row[key]), ZERO),
            [value or "" for value in key[1:]],
        )
    )
    rows = []
    for key in keys:
        row: dict[str, Any] = {}
        if key[0]:
            row["bucket"] = key[0].isoformat()
        for name, value in zip(question.group_by, key[1:], strict=True):
            if name == "product":
                row[name] = {"id": value, "name": names[value]}
            elif name == "customer":
                row[name] = {"id": value, "name": buyers.get(value)}
            else:
                row[name] = value
        rows.append(
            row | _measures(of_row[key], len(orders[key]), len(returned[key]), len(customers[key]), total)
        )
    return rows


def _measures(
    lines: list[Line], orders: int, returned: int, customers: int, total: Decimal
) -> dict[str, Any]:
    costed = [line for line in lines if line.cost is not None]
    net = sum((line.net for line in lines), ZERO)
    cost = sum((line.cost for line in costed if line.cost is not None), ZERO)
    costed_net = sum((line.net for line in costed), ZERO)
    sold = sum(line.quantity for line in lines if line.quantity > 0)
    back = -sum(line.quantity for line in lines if line.quantity < 0)
    shipping = sum((line.shipping for line in lines), ZERO)
    return {
        "gross_revenue": _money(sum((line.gross for line in lines), ZERO)),
        "discounts": _money(sum((line.discounted for line in lines), ZERO)),
        "returns": _money(sum((line.returned for line in lines), ZERO)),
        "net_revenue": _money(net),
        "shipping": _money(shipping),
        "total_revenue": _money(net + shipping),
        "tax": _money(sum((line.tax for line in lines), ZERO)),
        "cost": _money(cost) if costed else None,
        "margin": _money(costed_net - cost) if costed else None,
        "cost_coverage": _six(costed_net, net),
        "orders": orders,
        "return_orders": returned,
        "customers": customers,
        "units": sold,
        "units_returned": back,
        "net_units": sold - back,
        "average_order_value": _six(net, Decimal(orders)),
        "share_of_total": _six(net, total),
    }


def _money(value: Decimal) -> str:
    text = f"{value:.12f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    text = f"{whole}.{decimals:0<2}"
    return "0.00" if text == "-0.00" else text


def _six(numerator: Decimal, denominator: Decimal) -> str | None:
    if not denominator:
        return None
    text = str((numerator / denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP))
    return "0.000000" if Decimal(text) == 0 else text


def _group(line: Line, question: RevenueQuestion) -> Key:
    return tuple(getattr(line, ATTRIBUTES[name]) for name in question.group_by)


def _bucket(day: date, grain: str | None) -> date | None:
    match grain:
        case None:
            return None
        case "day":
            return day
        case "week":
            return date.fromisocalendar(*day.isocalendar()[:2], 1)
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, [1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10][day.month - 1], 1)
        case _:
            return date(day.year, 1, 1)


def _bucket_starts(start: date, end: date, grain: str | None) -> list[date | None]:
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return list(dict.fromkeys(_bucket(day, grain) for day in days))
