with

delivered as (
    select * from {{ ref('dim_unit_cost') }}
),

published as not materialized (
    select * from {{ published('core', 'dim_unit_cost') }}
),

concerned as (
    select product_id from {{ ref('stg_order_lines') }}
    union
    select product_id from delivered
),

known as (
    select
        product_id,
        valid_from,
        cost
    from delivered

    union all

    select
        product_id,
        published.valid_from,
        published.cost
    from concerned
    inner join published using (product_id)
    left join delivered using (product_id, valid_from)
    where delivered.product_id is null
)

select
    product_id,
    valid_from,
    lead(valid_from) over (partition by product_id order by valid_from) as valid_until,
    cost
from known
