{{ config(materialized='candidate_view') }}

with

changes as (
    select
        order_date,
        region
    from {{ ref('int_order_changes') }}
    where is_sale and customer_id is not null
)

select
    order_date,
    region
from changes

union distinct

select
    order_date,
    '' as region
from changes
