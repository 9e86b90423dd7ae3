with

delivered as (
    select * from {{ ref('dim_store') }}
),

published as (
    select * from {{ published('core', 'dim_store') }}
)

select
    store_id,
    region
from delivered

union all

select
    published.store_id,
    published.region
from published
left join delivered using (store_id)
where delivered.store_id is null
