{{ config(materialized='candidate_view') }}

with

changes as (
    select * from {{ ref('int_line_changes') }}
)

select
    source,
    order_id,
    product_id,
    occurrence,
    line_key,
    refund_id,
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
    unit_cost,
    gross_revenue,
    discounts,
    returns,
    net_revenue,
    tax,
    cost,
    extra,
    batch_id,
    row_number
from changes
where sign = 1
