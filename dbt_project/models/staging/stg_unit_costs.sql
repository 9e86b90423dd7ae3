with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

unit_costs as (
    select * from {{ source('raw', 'unit_costs') }}
),

products as (
    select * from {{ source('raw', 'product_records') }}
),

delivered as (
    select
        batch_id,
        row_number,
        product_id,
        valid_from,
        cost
    from unit_costs

    union all

    select
        batch_id,
        row_number,
        product_id,
        null as valid_from,
        unit_cost as cost
    from products
    where unit_cost is not null
)

-- A cost without a day is valid from the first day that a sale can have.
select
    delivered.product_id,
    coalesce(delivered.valid_from, date '1900-01-01') as valid_from,
    delivered.cost,
    delivered.batch_id,
    delivered.row_number
from delivered
inner join batches on delivered.batch_id = batches.batch_id
