"""What the models need to know of each customer, read from what is published."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from psycopg import Connection

from pipeline.lifetime.arrays import Counts, Floats

DAYS_OF_A_WEEK = 7

# A customer's orders of one day are one purchase. What came after the day of the first one is
# the value of the repeat purchases, returns taken off.
_HISTORIES = """
with purchases as (
    select customer_id, order_date
    from marts.customer_orders
    group by customer_id, order_date
),

customers as (
    select
        customer_id,
        min(order_date) as first_date,
        max(order_date) filter (where order_date <= %(end)s) as last_date,
        count(*) filter (where order_date <= %(end)s) - 1 as repeat_purchases,
        count(*) filter (where order_date > %(end)s) as later_purchases
    from purchases
    group by customer_id
    having min(order_date) <= %(end)s
),

spent as (
    select lines.customer_id, sum(lines.net_revenue) as net_revenue
    from core.fct_order_lines as lines
    inner join customers using (customer_id)
    where lines.sale_date > customers.first_date and lines.sale_date <= %(end)s
    group by lines.customer_id
)

select
    customers.customer_id,
    customers.repeat_purchases,
    customers.last_date - customers.first_date,
    %(end)s::date - customers.first_date,
    coalesce(spent.net_revenue, 0)::float8,
    customers.later_purchases
from customers
left join spent using (customer_id)
order by customers.customer_id collate "C"
"""


@dataclass(frozen=True)
class Histories:
    """Customers whose first purchase is no later than ``end``, one entry each, by customer id.

    Attributes:
        end: the last day that was observed.
        customer_ids: who they are.
        x: repeat purchases, of later days than the first.
        t_x: weeks from the first purchase to the last.
        T: weeks from the first purchase to ``end``.
        mean: mean net revenue of a repeat purchase, in money; 0 without one.
        later: purchases after ``end``.
    """

    end: date
    customer_ids: list[str]
    x: Counts
    t_x: Floats
    T: Floats
    mean: Floats
    later: Counts


def read_histories(connection: Connection, end: date) -> Histories:
    """The customers' histories until ``end``, inclusive."""
    rows = connection.execute(_HISTORIES, {"end": end}).fetchall()
    ids, x, last, age, spent, later = zip(*rows, strict=True) if rows else ((),) * 6
    repeats = np.array(x, dtype=np.int64)
    return Histories(
        end=end,
        customer_ids=list(ids),
        x=repeats,
        t_x=np.array(last, dtype=np.float64) / DAYS_OF_A_WEEK,
        T=np.array(age, dtype=np.float64) / DAYS_OF_A_WEEK,
        mean=np.where(repeats > 0, np.array(spent, dtype=np.float64) / np.maximum(repeats, 1), 0.0),
        later=np.array(later, dtype=np.int64),
    )
