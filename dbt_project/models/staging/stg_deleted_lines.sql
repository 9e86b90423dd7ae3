with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

deleted_lines as (
    select * from {{ source('raw', 'deleted_lines') }}
)

select
    batches.source,
    deleted_lines.order_id,
    deleted_lines.line_key,
    deleted_lines.batch_id,
    batches.overwrites_before,
    batches.overwrites_begun
from deleted_lines
inner join batches on deleted_lines.batch_id = batches.batch_id
