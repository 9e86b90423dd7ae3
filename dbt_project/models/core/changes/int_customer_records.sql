with

delivered as (
    select * from {{ ref('dim_customer_record') }}
),

published as not materialized (
    select * from {{ published('core', 'dim_customer_record') }}
),

changed as (
    select delivered.customer_id
    from delivered
    left join published using (customer_id)
    where
        (delivered.customer_name, delivered.customer_email, delivered.customer_address)
        is distinct from (published.customer_name, published.customer_email, published.customer_address)
),

concerned as (
    select distinct customer_id
    from {{ ref('int_line_changes') }}
    where customer_id is not null
)

select
    delivered.customer_id,
    delivered.customer_name,
    delivered.customer_email,
    delivered.customer_address,
    changed.customer_id is not null as has_changed
from delivered
left join changed using (customer_id)

union all

select
    published.customer_id,
    published.customer_name,
    published.customer_email,
    published.customer_address,
    false as has_changed
from concerned
inner join published using (customer_id)
left join delivered using (customer_id)
where delivered.customer_id is null
