-- Customers of whole months without a look at their orders: of those, the ones whose earlier order lies
-- before the first month are the customers, each once.
with

{{ changed_sequences() }},

signed as (
    select
        steps.region,
        steps.step,
        date_trunc('month', sides.order_date::timestamp)::date as order_month,
        coalesce(date_trunc('month', steps.order_date::timestamp), date '0001-01-01')::date as earlier_month,
        sum(sides.sign) as orders
    from sides
    cross join
        lateral (
            values
            ('', 1, sides.previous_order_date),
            ('', 2, sides.second_previous_order_date),
            (sides.region, 1, sides.previous_order_date_in_region),
            (sides.region, 2, sides.second_previous_order_date_in_region)
        ) as steps (region, step, order_date)
    where sides.is_first_region or steps.region <> ''
    group by steps.region, steps.step, order_month, earlier_month
),

summed as (
    select * from signed
    union all
    select
        region,
        step,
        order_month,
        earlier_month,
        orders
    from {{ published('marts', 'customer_returns_monthly') }} as published
)

select
    region,
    step,
    order_month,
    earlier_month,
    sum(orders)::bigint as orders
from summed
group by region, step, order_month, earlier_month
having sum(orders) <> 0
