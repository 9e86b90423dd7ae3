{{ config(post_hook="create index on {{ this }} (source, order_id, line_key)") }}

with

live as (
    select * from {{ ref('int_live_lines') }}
),

-- What the line does not say itself, the other feeds may.
completed as (
    select
        live.*,
        case
            when live.region = 'Unspecified' then coalesce(stores.region, live.region)
            else live.region
        end as known_region,
        coalesce(live.unit_cost, costs.cost) as known_unit_cost
    from live
    left join {{ ref('int_stores') }} as stores on live.store_id = stores.store_id
    left join {{ ref('int_unit_costs') }} as costs
        on
            live.product_id = costs.product_id
            and live.sale_date >= costs.valid_from
            and (costs.valid_until is null or live.sale_date < costs.valid_until)
),

priced as (
    select
        *,
        case when quantity > 0 then quantity * unit_price else 0 end as gross_revenue,
        case when quantity > 0 then quantity * unit_price * discount else 0 end as discounts,
        case when quantity < 0 then -quantity * unit_price * (1 - discount) else 0 end as returns,
        quantity * unit_price * (1 - discount) as net_revenue,
        quantity * known_unit_cost as cost
    from completed
)

select
    source,
    order_id,
    product_id,
    occurrence,
    line_key,
    null::text as refund_id,
    product_key,
    customer_id,
    customer_key,
    store_id,
    region as own_region,
    known_region as region,
    payment_method,
    sale_date,
    quantity,
    unit_price,
    discount,
    shipping,
    unit_cost as own_unit_cost,
    known_unit_cost::numeric(18, 6) as unit_cost,
    gross_revenue::numeric(38, 12) as gross_revenue,
    discounts::numeric(38, 12) as discounts,
    returns::numeric(38, 12) as returns,
    net_revenue::numeric(38, 12) as net_revenue,
    cost::numeric(38, 12) as cost,
    batch_id,
    row_number
from priced
