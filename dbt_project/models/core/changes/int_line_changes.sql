{{ config(post_hook="create index on {{ this }} (source, order_id, line_key)") }}

with

incoming as not materialized (
    select * from {{ ref('int_incoming_lines') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

versions as (
    select * from {{ ref('int_product_versions') }}
),

overwrites as (
    select
        source,
        count(*) as overwrite_count,
        max(first_batch_id) as batch_id
    from {{ ref('stg_overwrites') }}
    group by source
),

kept as (
    select
        source,
        order_id,
        line_key,
        count(*) as kept_by
    from {{ ref('stg_quarantined_keys') }}
    group by source, order_id, line_key
),

dropped as (
    select
        source,
        order_id,
        line_key,
        max(batch_id) as batch_id
    from {{ ref('stg_deleted_lines') }}
    group by source, order_id, line_key
),

replaced as (
    select
        published.*,
        incoming.batch_id as change_batch_id
    from incoming
    inner join published using (source, order_id, line_key)
    where
        (
            incoming.product_key, incoming.customer_id, incoming.customer_key, incoming.region,
            incoming.payment_method, incoming.sale_date, incoming.quantity, incoming.unit_price,
            incoming.discount, incoming.shipping, incoming.unit_cost
        ) is distinct from (
            published.product_key, published.customer_id, published.customer_key, published.region,
            published.payment_method, published.sale_date, published.quantity, published.unit_price,
            published.discount, published.shipping, published.unit_cost
        )
),

deleted as (
    select
        published.*,
        overwrites.batch_id as change_batch_id
    from published
    inner join overwrites using (source)
    left join kept using (source, order_id, line_key)
    left join incoming using (source, order_id, line_key)
    where
        incoming.source is null
        and coalesce(kept.kept_by, 0) < overwrites.overwrite_count

    union all

    select
        published.*,
        dropped.batch_id as change_batch_id
    from dropped
    inner join published using (source, order_id, line_key)
    left join overwrites using (source)
    left join kept using (source, order_id, line_key)
    left join incoming using (source, order_id, line_key)
    where
        incoming.source is null
        -- An overwrite in the same build has deleted it already.
        and coalesce(kept.kept_by, 0) >= coalesce(overwrites.overwrite_count, 0)
),

added as (
    select
        incoming.*,
        incoming.batch_id as change_batch_id
    from incoming
    left join published using (source, order_id, line_key)
    left join replaced using (source, order_id, line_key)
    where published.source is null or replaced.source is not null
),

{%- set columns -%}
    source,
    order_id,
    product_id,
    occurrence,
    line_key,
    product_key,
    customer_id,
    customer_key,
    region,
    payment_method,
    sale_date,
    quantity,
    unit_price,
    discount,
    shipping,
    unit_cost,
    gross_revenue,
    discounts,
    returns,
    net_revenue,
    cost,
    batch_id,
    row_number,
    change_batch_id
{%- endset %}

sides as (
    select -1 as sign, {{ columns }} from replaced
    union all
    select -1 as sign, {{ columns }} from deleted
    union all
    select 1 as sign, {{ columns }} from added
)

select
    sides.*,
    versions.category,
    date_trunc('month', sides.sale_date)::date as month_start
from sides
inner join versions using (product_key)
