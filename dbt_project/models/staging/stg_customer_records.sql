with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

records as (
    select * from {{ source('raw', 'customer_records') }}
)

select
    records.customer_id,
    records.name as customer_name,
    records.email as customer_email,
    records.address as customer_address,
    records.extra,
    records.batch_id,
    records.row_number
from records
inner join batches on records.batch_id = batches.batch_id
