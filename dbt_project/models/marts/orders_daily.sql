with

changes as (
    select distinct
        sign,
        source,
        order_id,
        order_date,
        is_sale
    from {{ ref('int_order_changes') }}
),

published as (
    select * from {{ published('marts', 'orders_daily') }}
),

signed as (
    select
        order_date,
        source,
        {{ signed_orders() }}
    from changes
    group by order_date, source
),

rolled_forward as (
    select
        signed.order_date,
        signed.source,
        {{ orders_rolled_forward() }}
    from signed
    left join published using (order_date, source)
)

select * from rolled_forward
where orders + return_orders > 0
