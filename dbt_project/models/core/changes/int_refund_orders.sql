with

delivered as (
    select * from {{ ref('stg_refunds') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_refunds') }}
),

touched as (
    select
        source,
        order_id,
        batch_id
    from {{ ref('int_incoming_lines') }}

    union all

    select
        source,
        order_id,
        change_batch_id as batch_id
    from {{ ref('int_restated_lines') }}

    union all

    select
        source,
        order_id,
        change_batch_id as batch_id
    from {{ ref('int_deleted_lines') }}

    union all

    select
        source,
        order_id,
        batch_id
    from delivered

    union all

    -- A correction may move a refund from one order to another.
    select
        source,
        published.order_id,
        delivered.batch_id
    from delivered
    inner join published using (source, refund_id)
),

orders as (
    select
        source,
        order_id,
        max(batch_id) as change_batch_id
    from touched
    group by source, order_id
),

refunded as (
    select
        source,
        order_id
    from delivered

    union

    select
        source,
        order_id
    from orders
    inner join published using (source, order_id)
)

select
    source,
    order_id,
    orders.change_batch_id
from refunded
inner join orders using (source, order_id)
