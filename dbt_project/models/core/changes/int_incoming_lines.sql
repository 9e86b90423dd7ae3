{{ config(post_hook="{{ index_of_changes(['source', 'order_id', 'line_key']) }}") }}

with

live as (
    select * from {{ ref('int_live_lines') }}
),

-- What the line does not say itself, the other feeds may.
completed as (
    select
        live.*,
        case
            when live.own_region = 'Unspecified' then coalesce(stores.region, live.own_region)
            else live.own_region
        end as region,
        coalesce(live.own_unit_cost, costs.cost) as unit_cost
    from live
    left join {{ ref('int_stores') }} as stores on live.store_id = stores.store_id
    left join {{ ref('int_unit_costs') }} as costs
        on
            live.product_id = costs.product_id
            and live.sale_date >= costs.valid_from
            and (costs.valid_until is null or live.sale_date < costs.valid_until)
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
    own_region,
    region,
    payment_method,
    sale_date,
    quantity,
    unit_price,
    discount,
    discount_amount,
    shipping,
    order_shipping,
    own_unit_cost,
    unit_cost::numeric(18, 6) as unit_cost,
    gross_revenue,
    discounts,
    returns,
    net_revenue,
    tax,
    (quantity * unit_cost)::numeric(38, 12) as cost,
    extra,
    batch_id,
    row_number,
    is_interrupted
from completed
