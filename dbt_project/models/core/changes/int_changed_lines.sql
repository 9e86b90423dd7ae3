{{ config(materialized='candidate_view') }}

with

incoming as not materialized (
    select * from {{ ref('int_new_lines') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

replaced as (
    select
        published.*,
        incoming.change_batch_id
    from incoming
    inner join published using (source, order_id, line_key)
    inner join {{ ref('int_product_versions') }} as versions on published.product_key = versions.product_key
    where
        {{ line_values('incoming') }}
        is distinct from {{ line_values('published') }}
        or versions.category <> versions.published_category
        or (incoming.region, incoming.unit_cost) is distinct from (published.region, published.unit_cost)
        or (
            incoming.is_interrupted
            and (incoming.batch_id, incoming.row_number) is distinct from (published.batch_id, published.row_number)
        )
),

deleted as (
    select
        published.*,
        deleted_lines.change_batch_id
    from {{ ref('int_deleted_lines') }} as deleted_lines
    inner join published using (source, order_id, line_key)

    union all

    select
        published.*,
        orders.change_batch_id
    from {{ ref('int_refund_orders') }} as orders
    inner join published using (source, order_id)
    left join {{ ref('int_refund_lines') }} as refund_lines using (source, order_id, line_key)
    where published.refund_id is not null and refund_lines.source is null
),

renewed as (
    select
        source,
        order_id,
        line_key
    from replaced
    inner join incoming using (source, order_id, line_key)
    where
        {{ line_values('incoming') }}
        is distinct from {{ line_values('replaced') }}
        or incoming.is_interrupted
),

-- What a delivery says again keeps its provenance, though a cost, region or category that is not its own differs.
added as (
    select
        {{ columns_of('incoming', line_columns() | reject('in', ['batch_id', 'row_number']) | list) }},
        incoming.shipping,
        case
            when renewed.source is null then coalesce(replaced.batch_id, incoming.batch_id)
            else incoming.batch_id
        end as batch_id,
        case
            when renewed.source is null then coalesce(replaced.row_number, incoming.row_number)
            else incoming.row_number
        end as row_number,
        incoming.change_batch_id
    from incoming
    left join published using (source, order_id, line_key)
    left join replaced using (source, order_id, line_key)
    left join renewed using (source, order_id, line_key)
    where published.source is null or replaced.source is not null
)

select
    -1 as sign,
    {{ line_columns() | join(', ') }},
    shipping,
    change_batch_id
from replaced

union all

select
    -1 as sign,
    {{ line_columns() | join(', ') }},
    shipping,
    change_batch_id
from deleted

union all

select
    1 as sign,
    {{ line_columns() | join(', ') }},
    shipping,
    change_batch_id
from added
