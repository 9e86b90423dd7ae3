{{ config(post_hook="{{ index_of_changes(['source', 'order_id', 'line_key']) }}") }}

with

changed as (
    select * from {{ ref('int_changed_lines') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

versions as (
    select * from {{ ref('int_product_versions') }}
),

-- The touched orders whose lines repeat what the whole order was charged.
shipped_orders as (
    select
        source,
        order_id,
        max(change_batch_id) as change_batch_id
    from changed
    where order_shipping is not null
    group by source, order_id
),

unchanged as (
    select
        published.*,
        shipped_orders.change_batch_id
    from shipped_orders
    inner join published using (source, order_id)
    left join changed using (source, order_id, line_key)
    where
        changed.source is null
        and published.order_shipping is not null
),

stating as (
    select
        {{ line_columns() | join(', ') }}
    from unchanged
    union all
    select
        {{ line_columns() | join(', ') }}
    from changed
    where sign = 1 and order_shipping is not null
),

-- One line counts it: the newest statement on a sale line, then the greatest.
counting as (
    select distinct on (source, order_id)
        source,
        order_id,
        line_key
    from stating
    order by
        source asc, order_id asc, quantity > 0 desc, batch_id desc, order_shipping desc, line_key asc
),

shipped as (
    select
        unchanged.*,
        case when counting.line_key is null then 0 else unchanged.order_shipping end::numeric(18, 6)
            as counted_shipping
    from unchanged
    left join counting using (source, order_id, line_key)
),

-- A line that counts it now, or no longer does, has changed too.
sides as (
    select
        sign,
        {{ line_columns() | join(', ') }},
        change_batch_id,
        shipping
    from changed
    where sign = -1 or order_shipping is null
    union all
    select
        1 as sign,
        {{ line_columns() | join(', ') }},
        change_batch_id,
        case when counting.line_key is null then 0 else order_shipping end::numeric(18, 6) as shipping
    from changed
    left join counting using (source, order_id, line_key)
    where sign = 1 and order_shipping is not null
    union all
    select
        -1 as sign,
        {{ line_columns() | join(', ') }},
        change_batch_id,
        shipping
    from shipped
    where shipping <> counted_shipping
    union all
    select
        1 as sign,
        {{ line_columns() | join(', ') }},
        change_batch_id,
        counted_shipping as shipping
    from shipped
    where shipping <> counted_shipping
)

select
    sides.*,
    case when sides.sign = -1 then versions.published_category else versions.category end as category,
    date_trunc('month', sides.sale_date)::date as month_start
from sides
inner join versions using (product_key)
