{{ config(post_hook="create index on {{ this }} (source, order_id, line_key)") }}

with

shares as (
    select * from {{ ref('int_refund_shares') }}
),

-- The refund that gives back the last of what was paid takes what is left of both, to the last digit.
settled as (
    select
        *,
        amount <> 0
        and sum(amount) over by_order = order_paid
        and row_number() over (
            partition by source, order_id
            order by amount <> 0 desc, refund_date desc, refund_id collate "C" desc, size_rank asc
        ) = 1 as is_last,
        order_net_revenue - sum(given_net_revenue) over by_order as net_revenue_left,
        order_tax - sum(given_tax) over by_order as tax_left
    from shares
    window by_order as (partition by source, order_id)
),

lines as (
    select
        *,
        given_net_revenue + case when is_last then net_revenue_left else 0 end as returned,
        given_tax + case when is_last then tax_left else 0 end as returned_tax
    from settled
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
    lines.returned::numeric(38, 12) as returns,
    (-lines.returned)::numeric(38, 12) as net_revenue,
    (-lines.returned_tax)::numeric(38, 12) as tax,
    (-lines.units * lines.unit_cost)::numeric(38, 12) as cost,
    lines.extra,
    lines.batch_id,
    lines.row_number,
    orders.change_batch_id
from lines
inner join {{ ref('int_refund_orders') }} as orders using (source, order_id)
where lines.amount <> 0 or lines.units <> 0
