"""Customers: how many, who came again, what they brought, their segments and cohorts."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from tests.e2e.second_computation.dates import bounds, buckets
from tests.e2e.second_computation.reference import Reference, conditions, quotient
from tests.e2e.second_computation.revenue import Asked, revenue
from tests.e2e.second_computation.values import Row, ratio

# Orders that the filters select, of each customer and, when asked, region.
_SUMMARY = """
with orders as (
    select distinct {keys} customer_id, order_no, order_date
    from lines where is_sale_line and customer_id is not null {filters}
),
customers as (
    select {keys} customer_id,
        count(*) filter (where order_date between $start and $end) as there,
        count(*) filter (where order_date < $start) as older
    from orders group by all
)
select {keys}
    count(*) filter (where there > 0) as customers,
    count(*) filter (where there > 0 and older = 0) as new_customers,
    count(*) filter (where there > 0 and older > 0) as returning_customers,
    count(*) filter (where there > 1) as repeat_customers
from customers {group}
"""
# Customers with an order in the range: their orders there, and their lines there.
_CUSTOMERS = """
with orders as (
    select customer_id, min(order_date) as first_order_date, max(order_date) as last_order_date,
        count(*) as orders
    from customer_orders where order_date between $start and $end group by customer_id
),
amounts as (
    select customer_id, sum(net_revenue) as net_revenue, sum(cost) as cost,
        sum(net_revenue) filter (where cost is not null) as costed
    from lines where sale_date between $start and $end group by customer_id
),
cohorts as (
    select customer_id, cast(date_trunc('month', min(order_date)) as date) as cohort
    from customer_orders group by customer_id
)
select orders.*, coalesce(net_revenue, 0) as net_revenue, cost, costed, cohort
from orders join cohorts using (customer_id) left join amounts using (customer_id)
order by net_revenue desc, customer_id
"""
_COHORTS = """
with cohorts as (
    select customer_id, cast(date_trunc('month', min(order_date)) as date) as cohort
    from customer_orders group by customer_id
),
sizes as (
    select cohort, count(*) as cohort_customers from cohorts group by cohort
),
orders as (
    select cohort, cast(date_trunc('month', order_date) as date) as month,
        count(distinct customer_id) as customers, count(distinct order_no) as orders
    from customer_orders join cohorts using (customer_id)
    where order_date between $start and $end group by all
),
amounts as (
    select cohort, cast(date_trunc('month', sale_date) as date) as month, sum(net_revenue) as net_revenue
    from lines join cohorts using (customer_id)
    where sale_date between $start and $end group by all
),
months as (
    select cast(unnest($months) as date) as month
)
select cohort, cohort_customers, month, coalesce(customers, 0) as customers, coalesce(orders, 0) as orders,
    coalesce(net_revenue, 0) as net_revenue
from sizes join months on month >= cohort
left join orders using (cohort, month) left join amounts using (cohort, month)
order by cohort, month
"""
_COUNTS = ("customers", "new_customers", "returning_customers", "repeat_customers")
SEGMENTS = (
    "champions", "loyal", "potential_loyalists", "new", "promising", "needs_attention", "about_to_sleep",
    "at_risk", "cant_lose_them", "hibernating", "lost",
)  # fmt: skip


def summary(reference: Reference, asked: Asked) -> list[Row]:
    """One row, or one for each region (``asked.group_by``)."""
    start, end = reference.span(asked.start, asked.end)
    keys = "region, " if asked.group_by else ""
    query = _SUMMARY.format(
        keys=keys, filters=conditions(asked.filters), group="group by all" if asked.group_by else ""
    )
    counts = {row.get("region"): row for row in reference.rows(query, start=start, end=end, **asked.filters)}
    made = []
    for row in revenue(reference, asked):
        found = counts.get(row.get("region"), dict.fromkeys(_COUNTS, 0))
        made.append(
            {
                **({"region": row["region"]} if asked.group_by else {}),
                **{name: found[name] for name in _COUNTS},
                "repeat_rate": ratio(quotient(found["repeat_customers"], found["customers"])),
                **{name: row[name] for name in ("orders", "net_revenue", "average_order_value")},
            }
        )
    return made


def lifetime_value(reference: Reference, start: date | None, end: date | None) -> list[Row]:
    """What each customer with an order in the range brought there, the best first."""
    first, last = reference.span(start, end)
    return [
        {
            "customer": reference.named("customer", row["customer_id"]),
            **{name: row[name] for name in ("cohort", "first_order_date", "last_order_date", "orders")},
            **_amounts([row]),
        }
        for row in reference.rows(_CUSTOMERS, start=first, end=last)
    ]


def lifetime_value_by_cohort(reference: Reference, start: date | None, end: date | None) -> list[Row]:
    """The same, summed over the customers whose first order of all was in one month."""
    first, last = reference.span(start, end)
    found = reference.rows(_CUSTOMERS, start=first, end=last)
    return [
        {"cohort": cohort, **_totals([row for row in found if row["cohort"] == cohort])}
        for cohort in sorted({row["cohort"] for row in found})
    ]


def lifetime_totals(reference: Reference, start: date | None, end: date | None) -> Row:
    """The same, summed over all customers of the range."""
    first, last = reference.span(start, end)
    return _totals(reference.rows(_CUSTOMERS, start=first, end=last))


def _totals(rows: Sequence[Row]) -> Row:
    amounts = _amounts(rows)
    margin = amounts["margin"]
    return {
        "customers": len(rows),
        "orders": sum(row["orders"] for row in rows),
        **amounts,
        "mean_net_revenue": ratio(quotient(amounts["net_revenue"], len(rows))),
        "mean_margin": None if margin is None else ratio(quotient(margin, len(rows))),
    }


def _amounts(rows: Sequence[Row]) -> Row:
    net = sum((row["net_revenue"] for row in rows), Decimal(0))
    known = [row for row in rows if row["cost"] is not None]
    cost = sum((row["cost"] for row in known), Decimal(0))
    costed = sum((row["costed"] for row in known), Decimal(0))
    return {
        "net_revenue": net,
        "cost": cost if known else None,
        "margin": costed - cost if known else None,
        "cost_coverage": ratio(quotient(costed, net)),
    }


def cohorts(reference: Reference, start: date | None, end: date | None) -> list[Row]:
    """Each cohort, month by month, from its own on: no month beyond the range or the data."""
    first, last = reference.span(start, end)
    shown = (max(first, reference.first), min(last, reference.last))
    months = [month for month, _ in buckets(*shown, "month")] if shown[0] <= shown[1] else []
    rows = reference.rows(_COHORTS, start=first, end=last, months=months)
    return [_cohort(reference, row, start, end) for row in rows]


def _cohort(reference: Reference, row: Row, start: date | None, end: date | None) -> Row:
    month, month_end = bounds(row["month"], "month")
    is_partial = (
        (start is not None and month < start)
        or (end is not None and month_end > end)
        or month_end > reference.last
    )
    cohort: date = row["cohort"]
    return {
        "cohort": cohort,
        "cohort_customers": row["cohort_customers"],
        "months_since": (month.year - cohort.year) * 12 + month.month - cohort.month,
        "bucket": {"start_date": month, "end_date": month_end, "is_partial": is_partial},
        "customers": row["customers"],
        "retention": ratio(quotient(row["customers"], row["cohort_customers"])),
        "orders": row["orders"],
        "net_revenue": row["net_revenue"],
    }


def members(
    reference: Reference,
    as_of: date | None,
    start: date | None,
    end: date | None,
    fractions: Sequence[Fraction],
    own: dict[str, list[Any]],
) -> tuple[list[Row], Row]:
    """Every customer with its scores and segment, the best first, and the cut points.

    ``own`` has the cut points that are not the values at the fractions' ranks, by dimension.
    """
    as_of = as_of or reference.last
    first, last = reference.span(start, min(end, as_of) if end else as_of)
    found = reference.rows(_CUSTOMERS, start=first, end=last)
    values: dict[str, list[Any]] = {
        "recency_days": [(as_of - row["last_order_date"]).days for row in found],
        "frequency": [row["orders"] for row in found],
        "monetary": [row["net_revenue"] for row in found],
    }
    cuts = {name: own.get(name) or _cut_points(values[name], fractions) for name in values}
    rows = []
    for row, days, orders, net in zip(found, *values.values(), strict=True):
        recency = 5 - sum(days > cut for cut in cuts["recency_days"])
        frequency = 1 + sum(orders > cut for cut in cuts["frequency"])
        monetary = 1 + sum(net > cut for cut in cuts["monetary"])
        rows.append(
            {
                "customer": reference.named("customer", row["customer_id"]),
                "segment": segment_of(recency, frequency, monetary),
                "last_order_date": row["last_order_date"],
                "recency_days": days,
                "orders": orders,
                "net_revenue": net,
                "recency_score": recency,
                "frequency_score": frequency,
                "monetary_score": monetary,
            }
        )
    return rows, cuts


def segments(rows: Sequence[Row]) -> list[Row]:
    """The segments that these members make, those without a member included."""
    whole = sum((row["net_revenue"] for row in rows), Decimal(0))
    made = []
    for name in SEGMENTS:
        mine = [row for row in rows if row["segment"] == name]
        net = sum((row["net_revenue"] for row in mine), Decimal(0))
        orders = sum(row["orders"] for row in mine)
        made.append(
            {
                "segment": name,
                "customers": len(mine),
                "share_of_customers": ratio(quotient(len(mine), len(rows))),
                "orders": orders,
                "net_revenue": net,
                "share_of_total": ratio(quotient(net, whole)),
                "mean_recency_days": ratio(quotient(sum(row["recency_days"] for row in mine), len(mine))),
                "mean_orders": ratio(quotient(orders, len(mine))),
                "mean_net_revenue": ratio(quotient(net, len(mine))),
            }
        )
    return made


def segment_of(recency: int, frequency: int, monetary: int) -> str:
    """The segment by the recency score and the mean of the other two, half up."""
    buys = ceil(Fraction(frequency + monetary, 2))
    if buys == 5:
        buys = 4
    return {
        (5, 1): "new", (5, 2): "potential_loyalists", (5, 3): "loyal", (5, 4): "champions",
        (4, 1): "promising", (4, 2): "potential_loyalists", (4, 3): "loyal", (4, 4): "champions",
        (3, 1): "promising", (3, 2): "about_to_sleep", (3, 3): "needs_attention", (3, 4): "loyal",
        (2, 1): "hibernating", (2, 2): "about_to_sleep", (2, 3): "at_risk", (2, 4): "at_risk",
        (1, 1): "lost", (1, 2): "hibernating", (1, 3): "at_risk", (1, 4): "cant_lose_them",
    }[recency, buys]  # fmt: skip


def _cut_points(values: Sequence[Any], fractions: Sequence[Fraction]) -> list[Any]:
    ordered = sorted(values)
    return [ordered[ceil(len(ordered) * fraction) - 1] for fraction in fractions] if ordered else []
