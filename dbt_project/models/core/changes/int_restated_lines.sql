{{ config(post_hook="create index on {{ this }} (source, order_id, line_key)") }}

with

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

restated_lines as (
    select
        published.*,
        coalesce(restated.region, published.region) as new_region,
        case when restated.is_recosted then restated.unit_cost else published.unit_cost end as new_unit_cost,
        restated.change_batch_id
    from {{ ref('int_restatements') }} as restated
    inner join published using (source, order_id, line_key)
)

select
    lines.source,
    lines.order_id,
    lines.line_key,
    lines.product_id,
    lines.occurrence,
    lines.refund_id,
    lines.product_key,
    lines.customer_id,
    lines.customer_key,
    lines.store_id,
    lines.own_region,
    lines.new_region as region,
    lines.payment_method,
    lines.sale_date,
    lines.quantity,
    lines.unit_price,
    lines.discount,
    lines.discount_amount,
    lines.shipping,
    lines.order_shipping,
    lines.own_unit_cost,
    lines.new_unit_cost as unit_cost,
    lines.gross_revenue,
    lines.discounts,
    lines.returns,
    lines.net_revenue,
    lines.tax,
    (lines.quantity * lines.new_unit_cost)::numeric(38, 12) as cost,
    lines.extra,
    lines.batch_id,
    lines.row_number,
    lines.change_batch_id
from restated_lines as lines
left join {{ ref('int_incoming_lines') }} as incoming using (source, order_id, line_key)
left join {{ ref('int_deleted_lines') }} as deleted using (source, order_id, line_key)
where incoming.source is null and deleted.source is null
