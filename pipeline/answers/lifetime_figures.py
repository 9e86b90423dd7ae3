"""The figures of lifetime value: of one customer, and summed over several."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from pipeline.answers import numbers
from pipeline.answers.answer import Row

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Realised:
    """What was bought in the range; ``cost`` and ``costed_revenue`` are of the lines whose cost is known."""

    customers: int
    orders: int
    net_revenue: Decimal
    cost: Decimal
    costed_revenue: Decimal
    costed_lines: int

    @property
    def margin(self) -> Decimal | None:
        """Profit on the lines whose cost is known; None when none is."""
        return self.costed_revenue - self.cost if self.costed_lines else None


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is expected in the horizon; NaN where the model has no answer."""

    purchases: float = math.nan
    probability_alive: float = math.nan
    mean_value: float = math.nan
    value: float = math.nan


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer of the range; ``cohort`` is the month of its first order of all."""

    customer_id: str
    name: str | None
    cohort: date
    first_order_date: date
    last_order_date: date
    realised: Realised
    predicted: Predicted


@dataclass(frozen=True)
class Group:
    """Several customers: all of them, or a cohort."""

    cohort: date | None
    realised: Realised
    predicted: Predicted


def group_of(customers: Iterable[Customer], cohort: date | None = None) -> Group:
    """The sums over customers; predictions over those that have one."""
    found = list(customers)
    realised = [customer.realised for customer in found]
    return Group(
        cohort,
        Realised(
            customers=len(found),
            orders=sum(one.orders for one in realised),
            net_revenue=sum((one.net_revenue for one in realised), Decimal(0)),
            cost=sum((one.cost for one in realised), Decimal(0)),
            costed_revenue=sum((one.costed_revenue for one in realised), Decimal(0)),
            costed_lines=sum(one.costed_lines for one in realised),
        ),
        Predicted(
            purchases=_sum(customer.predicted.purchases for customer in found),
            value=_sum(customer.predicted.value for customer in found),
        ),
    )


def _sum(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) if known else math.nan


def customer_row(customer: Customer, digits: int) -> Row:
    """A customer as it is written in JSON."""
    predicted = customer.predicted
    return {
        "customer": {"id": customer.customer_id, "name": customer.name},
        "cohort": customer.cohort.isoformat(),
        "first_order_date": customer.first_order_date.isoformat(),
        "last_order_date": customer.last_order_date.isoformat(),
        "orders": customer.realised.orders,
        **_money(customer.realised, digits),
        "predicted_purchases": estimate(predicted.purchases),
        "probability_alive": estimate(predicted.probability_alive),
        "predicted_mean_value": estimate(predicted.mean_value),
        "predicted_value": estimate(predicted.value),
    }


def group_row(group: Group, digits: int) -> Row:
    """A group's sums and means as they are written in JSON."""
    realised = group.realised
    margin = realised.margin
    return {
        "customers": realised.customers,
        "orders": realised.orders,
        **_money(realised, digits),
        "mean_net_revenue": numbers.ratio(realised.net_revenue, realised.customers),
        "mean_margin": None if margin is None else numbers.ratio(margin, realised.customers),
        "predicted_purchases": estimate(group.predicted.purchases),
        "predicted_value": estimate(group.predicted.value),
    }


def _money(realised: Realised, digits: int) -> Row:
    margin = realised.margin
    return {
        "net_revenue": numbers.money(realised.net_revenue, digits),
        "cost": None if margin is None else numbers.money(realised.cost, digits),
        "margin": None if margin is None else numbers.money(margin, digits),
        "cost_coverage": numbers.ratio(realised.costed_revenue, realised.net_revenue),
    }


def estimate(value: float) -> str | None:
    """An estimate with six digits, half up; None for NaN."""
    return None if math.isnan(value) else numbers.half_up(Decimal(value), numbers.RATIO_DIGITS)


# What rows can be put in order of; ids break the ties.
CUSTOMER_ORDERS: Mapping[str, Callable[[Customer], Any]] = {
    "customer": lambda customer: customer.customer_id,
    "cohort": lambda customer: customer.cohort,
    "first_order_date": lambda customer: customer.first_order_date,
    "last_order_date": lambda customer: customer.last_order_date,
    "orders": lambda customer: customer.realised.orders,
    "net_revenue": lambda customer: customer.realised.net_revenue,
    "margin": lambda customer: customer.realised.margin,
    "predicted_purchases": lambda customer: customer.predicted.purchases,
    "probability_alive": lambda customer: customer.predicted.probability_alive,
    "predicted_mean_value": lambda customer: customer.predicted.mean_value,
    "predicted_value": lambda customer: customer.predicted.value,
}
COHORT_ORDERS: Mapping[str, Callable[[Group], Any]] = {
    "cohort": lambda group: group.cohort,
    "customers": lambda group: group.realised.customers,
    "orders": lambda group: group.realised.orders,
    "net_revenue": lambda group: group.realised.net_revenue,
    "margin": lambda group: group.realised.margin,
    "predicted_purchases": lambda group: group.predicted.purchases,
    "predicted_value": lambda group: group.predicted.value,
}


def ordered(
    rows: Iterable[_Row], names: Iterable[str], orders: Mapping[str, Callable[[_Row], Any]]
) -> list[_Row]:
    """The rows in this order (``-`` for falling); what is undefined comes last, equals stay as they are."""
    found = list(rows)
    for name in reversed(list(names)):
        value = orders[name.removeprefix("-")]
        known = [row for row in found if not _is_undefined(value(row))]
        rest = [row for row in found if _is_undefined(value(row))]
        found = sorted(known, key=value, reverse=name.startswith("-")) + rest
    return found


def _is_undefined(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
