-- A customer counts on a day once: at the first of its orders of that day.
with

{{ changed_sequences() }},

signed as (
    select
        sides.order_date,
        sequences.region,
        sum(sides.sign) as customers
    from sides
    cross join
        lateral (
            values
            ('', sides.previous_order_date),
            (sides.region, sides.previous_order_date_in_region)
        ) as sequences (region, previous_order_date)
    where
        (sides.is_first_region or sequences.region <> '')
        and (sequences.previous_order_date is null or sequences.previous_order_date < sides.order_date)
    group by sides.order_date, sequences.region
),

summed as (
    select * from signed
    union all
    select
        order_date,
        region,
        customers
    from {{ published('marts', 'customers_daily') }} as published
)

select
    order_date,
    region,
    sum(customers)::bigint as customers
from summed
group by order_date, region
having sum(customers) <> 0
