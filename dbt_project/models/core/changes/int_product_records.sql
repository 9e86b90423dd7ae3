{{ config(materialized='candidate_view') }}

with

delivered as (
    select * from {{ ref('dim_product_record') }}
),

published as (
    select * from {{ published('core', 'dim_product_record') }}
)

select
    product_id,
    product_name,
    category
from delivered

union all

select
    published.product_id,
    published.product_name,
    published.category
from published
left join delivered using (product_id)
where delivered.product_id is null
