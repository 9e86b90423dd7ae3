-- A customer counts on a day once: at the first of its orders of that day. To put a customer's later orders
-- in sequence anew changes no day that they are on.
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

published as (
    select * from {{ published('marts', 'customers_daily') }}
),

rolled_forward as (
    select
        days.order_date,
        days.region,
        coalesce(published.customers, 0) + coalesce(signed.customers, 0) as customers
    from {{ ref('int_customer_days') }} as days
    left join signed using (order_date, region)
    left join published using (order_date, region)
)

select * from rolled_forward
where customers <> 0
