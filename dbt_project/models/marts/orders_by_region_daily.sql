with

-- An order of several customers has several rows for a region, and is one order there.
changes as (
    select distinct
        sign,
        source,
        order_id,
        order_date,
        is_sale,
        region
    from {{ ref('int_order_changes') }}
),

published as (
    select * from {{ published('marts', 'orders_by_region_daily') }}
),

signed as (
    select
        order_date,
        source,
        region,
        {{ signed_orders() }}
    from changes
    group by order_date, source, region
),

rolled_forward as (
    select
        signed.order_date,
        signed.source,
        signed.region,
        {{ orders_rolled_forward() }}
    from signed
    left join published using (order_date, source, region)
)

select * from rolled_forward
where orders + return_orders > 0
