with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

records as (
    select * from {{ source('raw', 'product_records') }}
)

select
    records.product_id,
    records.name as product_name,
    records.category,
    records.list_price,
    records.unit_cost,
    records.description,
    records.extra,
    records.batch_id,
    records.row_number
from records
inner join batches on records.batch_id = batches.batch_id
