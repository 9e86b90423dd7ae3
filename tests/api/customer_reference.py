"""What each customer did, gathered line by line in Python."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.api.published import ZERO, Line, customer_names, numbered, orders_of


@dataclass(frozen=True)
class Buyer:
    """A customer with at least one order, its orders' days, its orders (day, source, id) and its lines."""

    customer_id: str
    name: str | None
    days: tuple[date, ...]
    placed: frozenset[tuple[date, str, str]]
    lines: tuple[Line, ...]

    @property
    def first_day(self) -> date:
        """The day of the first order of all."""
        return min(self.days)

    def orders_within(self, start: date, end: date) -> list[date]:
        """The days of the orders within the range, one for each order."""
        return [day for day in self.days if start <= day <= end]

    def lines_within(self, start: date, end: date) -> list[Line]:
        """The lines within the range, returns too."""
        return [line for line in self.lines if start <= line.sale_date <= end]

    def net_within(self, start: date, end: date) -> Decimal:
        """The net revenue within the range."""
        return sum((line.net for line in self.lines_within(start, end)), ZERO)


def buyers_of(lines: Sequence[Line]) -> list[Buyer]:
    """Every customer with an order, by id."""
    lines = numbered(lines)
    days: dict[str, list[date]] = defaultdict(list)
    placed: dict[str, set[tuple[date, str, str]]] = defaultdict(set)
    for order in orders_of(lines):
        for customer in {line.customer_id for line in order.lines if line.quantity > 0 and line.customer_id}:
            days[customer].append(order.order_date)
            placed[customer].add((order.order_date, order.source, order.order_id))
    names = customer_names(lines)
    return [
        Buyer(
            customer,
            names[customer],
            tuple(sorted(days[customer])),
            frozenset(placed[customer]),
            tuple(line for line in lines if line.customer_id == customer),
        )
        for customer in sorted(days)
    ]


def written_money(value: Decimal) -> str:
    """Money as JSON has it, for a currency with two digits."""
    whole, _, decimals = f"{value:.12f}".rstrip("0").partition(".")
    text = f"{whole}.{decimals:0<2}"
    return "0.00" if text == "-0.00" else text


def six(numerator: Decimal, denominator: Decimal) -> str | None:
    """A quotient with six digits, half up."""
    if not denominator:
        return None
    text = str((numerator / denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP))
    return "0.000000" if Decimal(text) == 0 else text
