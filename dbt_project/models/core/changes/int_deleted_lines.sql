with

incoming as not materialized (
    select * from {{ ref('int_incoming_lines') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
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
)

select
    published.source,
    published.order_id,
    published.line_key,
    overwrites.batch_id as change_batch_id
from published
inner join overwrites using (source)
left join kept using (source, order_id, line_key)
left join incoming using (source, order_id, line_key)
where
    incoming.source is null
    and published.refund_id is null
    and coalesce(kept.kept_by, 0) < overwrites.overwrite_count

union all

select
    published.source,
    published.order_id,
    published.line_key,
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
