with

changes as not materialized (
    select * from {{ ref('int_line_changes') }}
    where customer_id is not null
),

published as not materialized (
    select * from {{ published('core', 'dim_customer') }}
),

published_lines as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

records as (
    select * from {{ ref('int_customer_records') }}
),

signed as (
    select
        customer_id,
        sign
    from changes
    union all
    select
        customer_id,
        0 as sign
    from records
    where has_changed
),

touched as (
    select
        signed.customer_id,
        (coalesce(max(published.line_count), 0) + sum(signed.sign))::bigint as line_count
    from signed
    left join published using (customer_id)
    group by signed.customer_id
),

untouched_lines as (
    select
        published_lines.customer_id,
        published_lines.customer_key,
        published_lines.sale_date,
        published_lines.batch_id,
        published_lines.row_number
    from touched
    inner join published_lines using (customer_id)
    left join {{ ref('int_line_changes') }} as changed
        using (source, order_id, line_key)
    where changed.source is null and published_lines.refund_id is null
),

lines as (
    select * from untouched_lines

    union all

    select
        customer_id,
        customer_key,
        sale_date,
        batch_id,
        row_number
    from changes
    where sign = 1 and refund_id is null
),

versions_in_use as (
    select
        customer_id,
        customer_key,
        max(array[sale_date - date '1900-01-01', batch_id, row_number]) as last_seen
    from lines
    group by customer_id, customer_key
),

version_text as (
    select distinct on (customer_key) *
    from {{ ref('stg_customers') }}
    where customer_key in (select customer_key from versions_in_use)
    order by customer_key
),

-- Each attribute is the latest that was not blank: latest by sale date, then batch, then row.
attributes as (
    select
        versions_in_use.customer_id,
        (array_agg(customer_name order by last_seen desc) filter (where customer_name is not null))[1]
            as customer_name,
        (array_agg(customer_email order by last_seen desc) filter (where customer_email is not null))[1]
            as customer_email,
        (array_agg(customer_address order by last_seen desc) filter (where customer_address is not null))[1]
            as customer_address
    from versions_in_use
    inner join version_text using (customer_key)
    group by versions_in_use.customer_id
)

select
    touched.customer_id,
    coalesce(attributes.customer_name, records.customer_name) as customer_name,
    coalesce(attributes.customer_email, records.customer_email) as customer_email,
    coalesce(attributes.customer_address, records.customer_address) as customer_address,
    touched.line_count
from touched
inner join attributes using (customer_id)
left join records using (customer_id)
where touched.line_count > 0
