{{ config(post_hook="create index on {{ this }} (source, order_id, product_id)") }}

{%- set columns = [
    'line_key', 'product_id', 'occurrence', 'product_key', 'customer_id', 'customer_key', 'store_id', 'own_region',
    'region', 'payment_method', 'quantity', 'unit_price', 'discount', 'discount_amount', 'own_unit_cost', 'unit_cost',
    'net_revenue', 'tax', 'extra',
] %}

with

orders as (
    select distinct
        source,
        order_id
    from {{ ref('int_refunds') }}
),

incoming as not materialized (
    select * from {{ ref('int_incoming_lines') }}
),

restated as not materialized (
    select * from {{ ref('int_restated_lines') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
    where refund_id is null
),

lines as (
    select
        source,
        order_id,
        {{ columns | join(', ') }}
    from orders
    inner join incoming using (source, order_id)

    union all

    select
        source,
        order_id,
        {{ columns | join(', ') }}
    from orders
    inner join restated using (source, order_id)

    union all

    select
        source,
        order_id,
        {{ columns_of('published', columns) }}
    from orders
    inner join published using (source, order_id)
    left join incoming using (source, order_id, line_key)
    left join restated using (source, order_id, line_key)
    left join {{ ref('int_deleted_lines') }} as deleted using (source, order_id, line_key)
    where incoming.source is null and restated.source is null and deleted.source is null
),

-- What was paid as the prices were stated: with the tax where they include it, and without where they do not.
priced as (
    select
        *,
        quantity * unit_price
        - sign(quantity::numeric) * coalesce(discount_amount, abs(quantity) * unit_price * discount) as paid
    from lines
),

-- Returns that came as lines have been given back already.
paid as (
    select
        *,
        sum(paid) over (partition by source, order_id) as order_paid,
        coalesce(
            -sum(paid) filter (where quantity < 0) over (partition by source, order_id, product_id), 0
        ) as product_returned
    from priced
),

in_sequence as (
    select
        *,
        sum(quantity) over product_lines - quantity as units_before,
        sum(paid) over product_lines - paid as paid_before
    from paid
    where quantity > 0
    window product_lines as (
        partition by source, order_id, product_id
        order by occurrence, line_key collate "C"
    )
)

select
    source,
    order_id,
    {{ columns | join(', ') }},
    paid::numeric(38, 12) as paid,
    order_paid::numeric(38, 12) as order_paid,
    least(greatest(product_returned - paid_before, 0), paid)::numeric(38, 12) as returned,
    units_before::bigint as units_before
from in_sequence
