"""What changed lines of any month change in a closed one, through the order that they are of.

An order counts once, on its date, and what the whole order was charged for shipping counts on one of its
lines: a line of another month may move either.
"""

from typing import LiteralString

# From the relation ``changed`` (order_id, line_key, batch_id, sale_date, quantity, order_shipping;
# without a date it is deleted) and ``known_lines``: the closed months (order_id, month)
# that lose or gain an order, or its shipping. Dates are those of the model fct_orders, the line that counts
# the shipping is that of int_line_changes. As in the models, what was said again keeps its first batch.
CHANGED_ORDERS: LiteralString = """
with

before as (
    select
        known_lines.order_id, known_lines.line_key, lines.sale_date, lines.quantity, lines.order_shipping,
        case
            when ({values}) is not distinct from ({published_values}) then published.batch_id
            else lines.batch_id
        end as batch_id
    from known_lines
    inner join raw.order_lines as lines
        on lines.batch_id = coalesce(known_lines.batch_id, known_lines.published_batch_id)
            and lines.row_number = coalesce(known_lines.row_number, known_lines.published_row_number)
    left join raw.order_lines as published
        on published.batch_id = known_lines.published_batch_id
            and published.row_number = known_lines.published_row_number
    where known_lines.order_id in (select order_id from changed)
),

lines as (
    select false as is_after, order_id, line_key, batch_id, sale_date, quantity, order_shipping
    from before
    union all
    select true, order_id, line_key, batch_id, sale_date, quantity, order_shipping
    from before
    where not exists (
        select 1 from changed where changed.order_id = before.order_id and changed.line_key = before.line_key
    )
    union all
    select true, order_id, line_key, batch_id, sale_date, quantity, order_shipping
    from changed
    where sale_date is not null
),

dated as (
    select
        is_after, order_id, 'date' as told, null as line_key, null::numeric as amount,
        coalesce(min(sale_date) filter (where quantity > 0), min(sale_date)) as sale_date
    from lines
    group by is_after, order_id
),

shipped as (
    select distinct on (is_after, order_id)
        is_after, order_id, 'shipping' as told, line_key, order_shipping as amount, sale_date
    from lines
    where order_shipping is not null
    order by is_after, order_id, quantity > 0 desc, batch_id desc, order_shipping desc, line_key
),

sides as (
    select * from dated
    union all
    select * from shipped
    where amount <> 0
)

select distinct order_id, closed.month
from (
    select order_id, min(sale_date) as first_date, max(sale_date) as last_date
    from sides
    group by order_id, told
    having count(*) = 1 or count(distinct row(line_key, amount, sale_date)) = 2
) as moved
inner join raw.closed_months as closed
    on closed.month in (date_trunc('month', first_date)::date, date_trunc('month', last_date)::date)
"""
