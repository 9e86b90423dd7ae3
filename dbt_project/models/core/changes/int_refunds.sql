{%- set columns = [
    'refund_id', 'product_id', 'amount', 'quantity', 'refund_date', 'reason', 'batch_id', 'row_number',
] -%}

{{ config(post_hook="create index on {{ this }} (source, order_id, position)") }}

with

published as not materialized (
    select * from {{ published('core', 'fct_refunds') }}
),

brought as (
    select * from {{ ref('stg_refunds') }}
),

touched as (
    select distinct
        source,
        refund_id
    from brought
),

versions as (
    select
        source,
        order_id,
        {{ columns | join(', ') }}
    from brought

    union all

    select
        source,
        published.order_id,
        {{ columns_of('published', columns) }}
    from touched
    inner join published using (source, refund_id)
),

valued as (
    select
        *,
        (order_id, product_id, amount, quantity, refund_date, reason) as told
    from versions
),

compared as (
    select
        *,
        lead(told) over (
            partition by source, refund_id
            order by batch_id desc, row_number desc
        ) as older_told
    from valued
),

-- A delivery that repeats a refund unchanged leaves its provenance as it was.
delivered as (
    select distinct on (source, refund_id) *
    from compared
    where told is distinct from older_told
    order by source asc, refund_id asc, batch_id desc, row_number desc
),

orders as (
    select * from {{ ref('int_refund_orders') }}
),

refunds as (
    select
        source,
        order_id,
        {{ columns | join(', ') }}
    from delivered

    union all

    select
        source,
        published.order_id,
        {{ columns_of('published', columns) }}
    from orders
    inner join published using (source, order_id)
    left join delivered using (source, refund_id)
    where delivered.refund_id is null
)

-- The older refund goes first.
select
    source,
    order_id,
    (row_number() over (
        partition by source, order_id
        order by refund_date, refund_id collate "C"
    ))::integer as position,
    {{ columns | join(', ') }}
from refunds
