{{ config(materialized='view') }}

{%- set columns = [
    'source', 'order_id', 'line_key', 'refund_id', 'product_id', 'occurrence', 'product_key', 'customer_id',
    'customer_key', 'store_id', 'own_region', 'region', 'payment_method', 'refund_date', 'unit_price', 'discount',
    'own_unit_cost', 'unit_cost', 'extra', 'order_paid', 'order_net_revenue', 'order_tax', 'batch_id', 'row_number',
] %}

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
        {{ value_of_units('lines', 'paid', 'refunds.units_before', 'refunds.quantity') }} as units_amount,
        {{ value_of_units('lines', 'net_revenue', 'refunds.units_before', 'refunds.quantity') }} as units_net_revenue,
        {{ value_of_units('lines', 'tax', 'refunds.units_before', 'refunds.quantity') }} as units_tax,
        case
            when refunds.quantity is not null or lines.paid <= 0 then 0
            when refunds.amount = sum(lines.paid) over by_refund then lines.paid
            else
                div(refunds.amount * unit.minor_units * lines.paid, sum(lines.paid) over by_refund)
                / unit.minor_units
        end as share,
        row_number() over (
            partition by refunds.source, refunds.refund_id
            order by lines.paid desc, lines.occurrence asc, lines.line_key collate "C" asc
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
),

-- Net and tax in the proportion of the line; of prices that include the tax, both together are the amount.
parted as (
    select
        *,
        case
            when is_spread then coalesce(round(amount * net_revenue / nullif(paid, 0), 12), 0)
            else units_net_revenue
        end as given_net_revenue,
        case
            when is_spread
                then
                    coalesce(round(amount * (net_revenue + tax) / nullif(paid, 0), 12), 0)
                    - coalesce(round(amount * net_revenue / nullif(paid, 0), 12), 0)
            else units_tax
        end as given_tax
    from amounts
)

select
    {{ columns | join(', ') }},
    size_rank,
    units::bigint as units,
    amount::numeric(38, 12) as amount,
    given_net_revenue::numeric(38, 12) as given_net_revenue,
    given_tax::numeric(38, 12) as given_tax
from parted
