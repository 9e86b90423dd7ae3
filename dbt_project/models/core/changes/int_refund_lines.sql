{{ config(post_hook="create index on {{ this }} (source, order_id, line_key)") }}

with

refunds as (
    select * from {{ ref('fct_refunds') }}
    where status = 'applied'
),

unit as (
    select power(10::numeric, minor_digits) as minor_units
    from {{ source('build', 'build') }}
),

shares as (
    select
        refunds.refund_id,
        refunds.refund_date,
        refunds.batch_id,
        refunds.row_number,
        lines.*,
        refunds.quantity is null as is_spread,
        refunds.amount as refund_amount,
        {{ refunded_units('lines', 'refunds.units_before', 'refunds.quantity') }} as units,
        {{ value_of_units('lines', 'refunds.units_before', 'refunds.quantity') }} as units_amount,
        case
            when refunds.quantity is null and lines.net_revenue > 0
                then
                    div(
                        refunds.amount * unit.minor_units * lines.net_revenue,
                        sum(lines.net_revenue) over by_refund
                    ) / unit.minor_units
            else 0
        end as share,
        row_number() over (
            partition by refunds.source, refunds.refund_id
            order by lines.net_revenue desc, lines.occurrence asc, lines.line_key collate "C" asc
        ) as size_rank
    from refunds
    inner join {{ ref('int_refundable_lines') }} as lines
        on
            refunds.source = lines.source
            and refunds.order_id = lines.order_id
            and (refunds.product_id is null or refunds.product_id = lines.product_id)
    cross join unit
    window by_refund as (partition by refunds.source, refunds.refund_id)
),

-- What the shares leave over falls to the largest line.
amounts as (
    select
        *,
        case
            when not is_spread then units_amount
            when size_rank = 1
                then share + refund_amount - sum(share) over (partition by source, refund_id)
            else share
        end as amount
    from shares
)

select
    amounts.source,
    amounts.order_id,
    'refund ' || amounts.refund_id || ' (' || amounts.line_key || ')' as line_key,
    amounts.product_id,
    amounts.occurrence,
    amounts.refund_id,
    amounts.product_key,
    amounts.customer_id,
    amounts.customer_key,
    amounts.store_id,
    amounts.own_region,
    amounts.region,
    amounts.payment_method,
    amounts.refund_date as sale_date,
    -amounts.units::integer as quantity,
    amounts.unit_price,
    amounts.discount,
    null::numeric(38, 6) as discount_amount,
    0::numeric(18, 6) as shipping,
    null::numeric(18, 6) as order_shipping,
    amounts.own_unit_cost,
    amounts.unit_cost,
    0::numeric(38, 12) as gross_revenue,
    0::numeric(38, 12) as discounts,
    amounts.amount::numeric(38, 12) as returns,
    (-amounts.amount)::numeric(38, 12) as net_revenue,
    0::numeric(38, 12) as tax,
    (-amounts.units * amounts.unit_cost)::numeric(38, 12) as cost,
    amounts.extra,
    amounts.batch_id,
    amounts.row_number,
    orders.change_batch_id
from amounts
inner join {{ ref('int_refund_orders') }} as orders using (source, order_id)
where amounts.amount <> 0 or amounts.units <> 0
