"""Lifetime value: what customers have brought, and what they are expected to bring."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from psycopg import Connection

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, Row, fingerprint, offset_of, paged, too_large
from pipeline.answers.builds import Build, current_build
from pipeline.answers.dates import DateRange, effective_range
from pipeline.answers.errors import QueryError
from pipeline.answers.fits import model_until
from pipeline.answers.lifetime_figures import (
    COHORT_ORDERS,
    CUSTOMER_ORDERS,
    Customer,
    Predicted,
    Realised,
    customer_row,
    estimate,
    group_of,
    group_row,
    ordered,
)
from pipeline.answers.revenue import data_range
from pipeline.lifetime import Model, predict, read_histories
from pipeline.lifetime.stored import default_calibration_end

METHOD = "BG/NBD for purchases, Gamma-Gamma for their value"
YEAR_WEEKS = 52

# The customers with an order in the range, by id.
_REALISED = """
with orders as (
    select
        customer_id,
        count(*) as orders,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from marts.customer_orders
    where is_first_region and order_date between %(start)s and %(end)s
    group by customer_id
),

firsts as (
    select customer_id, date_trunc('month', min(order_date)::timestamp)::date as cohort
    from marts.customer_orders
    group by customer_id
),

revenue as (
    select
        customer_id,
        sum(net_revenue) as net_revenue,
        sum(cost) as cost,
        sum(net_revenue) filter (where cost is not null) as costed_net_revenue,
        count(cost) as costed_line_count
    from core.fct_order_lines
    where customer_id is not null and sale_date between %(start)s and %(end)s
    group by customer_id
)

select
    customer_id,
    customers.customer_name,
    firsts.cohort,
    orders.first_order_date,
    orders.last_order_date,
    orders.orders,
    coalesce(revenue.net_revenue, 0),
    coalesce(revenue.cost, 0),
    coalesce(revenue.costed_net_revenue, 0),
    coalesce(revenue.costed_line_count, 0)
from orders
inner join firsts using (customer_id)
left join revenue using (customer_id)
left join core.dim_customer as customers using (customer_id)
order by customer_id collate "C"
"""


@dataclass(frozen=True)
class LifetimeQuestion:
    """Which dates count as realised, and what the prediction rests on.

    ``start`` and ``end`` are inclusive; None takes the data's. Purchases until ``calibration_end``
    (None: all) tell what the customers do in the ``horizon_weeks`` after it. ``sort`` names what
    ``CUSTOMER_ORDERS`` or ``COHORT_ORDERS`` has. ``most`` refuses a whole answer (no limit) of more rows.

    Raises:
        QueryError: the rows cannot be sorted by that.
    """

    start: date | None = None
    end: date | None = None
    calibration_end: date | None = None
    horizon_weeks: int = YEAR_WEEKS
    by: Literal["customer", "cohort"] = "customer"
    sort: tuple[str, ...] = ()
    limit: int | None = None
    most: int | None = None
    cursor: str | None = None

    def __post_init__(self) -> None:
        known = CUSTOMER_ORDERS if self.by == "customer" else COHORT_ORDERS
        for name in self.sort:
            if name.removeprefix("-") not in known:
                raise QueryError(
                    "invalid_value", f"sort={name}: by={self.by} is sorted by {', '.join(known)}.", "sort"
                )

    @property
    def order(self) -> tuple[str, ...]:
        """The order that the rows come in, before ids break the ties."""
        return self.sort or (("-net_revenue",) if self.by == "customer" else ("cohort",))


def lifetime_value(
    connection: Connection, question: LifetimeQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """A row for each customer with an order in the range, or for each month of first orders.

    ``meta`` has the sums and means over all of them, and the model with its error.

    Raises:
        QueryError: the question cannot be answered.
    """
    build = current_build(connection)
    data = data_range(connection, build)
    span = effective_range(question.start, question.end, data)
    mark = fingerprint(
        "lifetime value", question.start, question.end, question.calibration_end, question.horizon_weeks,
        question.by, question.order,
    )  # fmt: skip
    offset = offset_of(question.cursor, build, mark)
    _check_size(connection, question, span)
    customers: list[Customer] = []
    model: Row | None = None
    if span is not None:
        predictions, model = _predicted(connection, question, build)
        customers = list(_customers(connection, span, predictions))
    digits = numbers.minor_digits(currency)
    meta = envelope.meta(build, span, currency, time_zone)
    meta |= {"model": model, "totals": group_row(group_of(customers), digits)}
    stop = None if question.limit is None else offset + question.limit + 1
    if question.by == "customer":
        chosen = ordered(customers, question.order, CUSTOMER_ORDERS)[offset:stop]
        rows = [customer_row(customer, digits) for customer in chosen]
    else:
        rows = _cohort_rows(customers, question, digits)[offset:stop]
    page, cursor = paged(rows, question.limit, build, offset, mark)
    return Answer(page, meta, cursor)


def _check_size(connection: Connection, question: LifetimeQuestion, span: DateRange | None) -> None:
    """Refuse a file that is too large before it is computed."""
    if question.limit is not None or question.most is None or question.by != "customer" or span is None:
        return
    row = connection.execute(
        "select count(distinct customer_id) from marts.customer_orders"
        " where order_date between %(start)s and %(end)s",
        {"start": span.start, "end": span.end},
    ).fetchone()
    if row and row[0] > question.most:
        raise too_large(question.most)


def _cohort_rows(customers: Iterable[Customer], question: LifetimeQuestion, digits: int) -> list[Row]:
    by_cohort: dict[date, list[Customer]] = defaultdict(list)
    for customer in customers:
        by_cohort[customer.cohort].append(customer)
    groups = [group_of(by_cohort[cohort], cohort) for cohort in sorted(by_cohort)]
    return [
        {"cohort": str(group.cohort), **group_row(group, digits)}
        for group in ordered(groups, question.order, COHORT_ORDERS)
    ]


def _customers(
    connection: Connection, span: DateRange, predictions: dict[str, Predicted]
) -> Iterable[Customer]:  # fmt: skip
    unknown = Predicted()
    for found in connection.execute(_REALISED, {"start": span.start, "end": span.end}):
        customer_id, name, cohort, first, last, orders, *sums = found
        realised = Realised(1, orders, *sums)
        yield Customer(
            customer_id, name, cohort, first, last, realised, predictions.get(customer_id, unknown)
        )


def _predicted(
    connection: Connection, question: LifetimeQuestion, build: Build
) -> tuple[dict[str, Predicted], Row | None]:
    """The prediction of each customer who had bought by the calibration end, and the model."""
    data_end = build.data_as_of
    if data_end is None:
        return {}, None
    end = question.calibration_end or data_end
    if end > data_end:
        raise QueryError(
            "invalid_value", f"calibration_end {end} is after the data's end, {data_end}.", "calibration_end"
        )
    model = tested = model_until(connection, build.build_id, end, data_end)
    if question.calibration_end is None:
        tested_end = default_calibration_end(connection, data_end)
        tested = model_until(connection, build.build_id, tested_end, data_end)
    histories = read_histories(connection, end)
    predictions = predict(model, histories, question.horizon_weeks)
    by_customer = zip(
        histories.customer_ids,
        predictions.purchases.tolist(),
        predictions.probability_alive.tolist(),
        predictions.mean_value.tolist(),
        predictions.value.tolist(),
        strict=True,
    )
    return {customer: Predicted(*values) for customer, *values in by_customer}, _written_model(
        model, tested, question.horizon_weeks
    )


def _written_model(model: Model, tested: Model, horizon_weeks: int) -> Row:
    purchases, value = model.purchases, model.value
    return {
        "method": METHOD,
        "calibration_end": model.calibration_end.isoformat(),
        "horizon_weeks": horizon_weeks,
        "customers": model.customers,
        "repeat_customers": model.repeat_customers,
        "purchases": purchases
        and {
            "r": estimate(purchases.r),
            "alpha": estimate(purchases.alpha),
            "a": estimate(purchases.a),
            "b": estimate(purchases.b),
            "log_likelihood": estimate(purchases.log_likelihood),
            "at_limit": list(purchases.limits),
        },
        "value": value
        and {
            "p": estimate(value.p),
            "q": estimate(value.q),
            "gamma": estimate(value.gamma),
            "log_likelihood": estimate(value.log_likelihood),
            "customers": value.customers,
            "correlation": estimate(math.nan if value.correlation is None else value.correlation),
            "at_limit": list(value.limits),
        },
        "reason": model.reason,
        "holdout": _written_holdout(tested),
    }


def _written_holdout(model: Model) -> dict[str, Any] | None:
    holdout = model.holdout
    if holdout is None:
        return None
    error = holdout.relative_error
    return {
        "calibration_end": model.calibration_end.isoformat(),
        "end_date": holdout.end_date.isoformat(),
        "customers": holdout.customers,
        "predicted_purchases": estimate(holdout.predicted_purchases),
        "actual_purchases": holdout.actual_purchases,
        "relative_error": estimate(math.nan if error is None else error),
        "mean_absolute_error": estimate(holdout.mean_absolute_error),
        "root_mean_squared_error": estimate(holdout.root_mean_squared_error),
    }
