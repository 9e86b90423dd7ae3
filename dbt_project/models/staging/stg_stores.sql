with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

stores as (
    select * from {{ source('raw', 'stores') }}
)

select
    stores.store_id,
    stores.city,
    stores.region,
    stores.address,
    stores.extra,
    stores.batch_id,
    stores.row_number
from stores
inner join batches on stores.batch_id = batches.batch_id
