with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

quarantine as (
    select * from {{ source('raw', 'quarantine') }}
),

-- The overwrite does carry these keys, unreadable though their rows are: they are not
-- deletions. A duplicate is none either, but its twin was accepted.
keys as (
    select distinct
        batches.call_id,
        batches.source,
        quarantine.order_id,
        {{ line_key('quarantine') }} as line_key,
        batches.overwrites_begun
    from quarantine
    inner join batches on quarantine.batch_id = batches.batch_id
    where
        batches.mode = 'overwrite'
        and quarantine.order_id is not null
        and coalesce(quarantine.line_id, quarantine.product_id) is not null
        and quarantine.reasons <> array['duplicate_row']
)

select * from keys
