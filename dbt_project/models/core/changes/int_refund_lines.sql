{{ config(post_hook="create index on {{ this }} (source, order_id, line_key)") }}

with

refunds as (
    select
        walk.*,
        refunds.refund_id,
        refunds.product_id,
        refunds.quantity,
        refunds.refund_date,
        refunds.batch_id,
        refunds.row_number
    from {{ ref('int_refund_walk') }} as walk
    inner join {{ ref('int_refunds') }} as refunds using (source, order_id, position)
    where walk.status = 'applied'
),

shares as (
    select
        lines.*,
        refunds.refund_id,
        refunds.refund_date,
        refunds.batch_id,
        refunds.row_number,
        {{ refunded_units('lines', 'refunds.units_before', 'refunds.quantity') }} as units,
        coalesce((refunds.given_before ->> lines.line_key)::numeric, 0) as given_before,
        (refunds.shares ->> lines.line_key)::numeric as given
    from refunds
    inner join {{ ref('int_refundable_lines') }} as lines
        on
            refunds.source = lines.source
            and refunds.order_id = lines.order_id
            and (refunds.product_id is null or refunds.product_id = lines.product_id)
),

-- Net and tax in the proportion of the line; of prices that include the tax, both together are what is given.
lines as (
    select
        *,
        {{ given_part('net_revenue') }} as returned_net,
        {{ given_part('(net_revenue + tax)') }} - {{ given_part('net_revenue') }} as returned_tax
    from shares
    where given <> 0 or units <> 0
)

select
    lines.source,
    lines.order_id,
    'refund ' || lines.refund_id || ' (' || lines.line_key || ')' as line_key,
    lines.product_id,
    lines.occurrence,
    lines.refund_id,
    lines.product_key,
    lines.customer_id,
    lines.customer_key,
    lines.store_id,
    lines.own_region,
    lines.region,
    lines.payment_method,
    lines.refund_date as sale_date,
    -lines.units::integer as quantity,
    lines.unit_price,
    lines.discount,
    null::numeric(38, 6) as discount_amount,
    0::numeric(18, 6) as shipping,
    null::numeric(18, 6) as order_shipping,
    lines.own_unit_cost,
    lines.unit_cost,
    0::numeric(38, 12) as gross_revenue,
    0::numeric(38, 12) as discounts,
    lines.returned_net::numeric(38, 12) as returns,
    (-lines.returned_net)::numeric(38, 12) as net_revenue,
    (-lines.returned_tax)::numeric(38, 12) as tax,
    (-lines.units * lines.unit_cost)::numeric(38, 12) as cost,
    lines.extra,
    lines.batch_id,
    lines.row_number,
    orders.change_batch_id
from lines
inner join {{ ref('int_refund_orders') }} as orders using (source, order_id)
