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

versions as (
    select * from {{ ref('stg_customers') }}
),

touched as (
    select
        changes.customer_id,
        (coalesce(max(published.line_count), 0) + sum(changes.sign))::bigint as line_count
    from changes
    left join published using (customer_id)
    group by changes.customer_id
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
    select distinct on (versions.customer_key) versions.*
    from versions
    where versions.customer_key in (select customer_key from versions_in_use)
    order by versions.customer_key
),

-- Each attribute is the latest that was not blank: latest by sale date, then batch, then row.
ranked as (
    select
        versions_in_use.customer_id,
        version_text.customer_name,
        version_text.customer_email,
        version_text.customer_address,
        row_number() over (
            partition by versions_in_use.customer_id, version_text.customer_name is null
            order by versions_in_use.last_seen desc
        ) as name_rank,
        row_number() over (
            partition by versions_in_use.customer_id, version_text.customer_email is null
            order by versions_in_use.last_seen desc
        ) as email_rank,
        row_number() over (
            partition by versions_in_use.customer_id, version_text.customer_address is null
            order by versions_in_use.last_seen desc
        ) as address_rank
    from versions_in_use
    inner join version_text using (customer_key)
),

attributes as (
    select
        customer_id,
        max(customer_name) filter (where name_rank = 1) as customer_name,
        max(customer_email) filter (where email_rank = 1) as customer_email,
        max(customer_address) filter (where address_rank = 1) as customer_address
    from ranked
    group by customer_id
)

select
    touched.customer_id,
    attributes.customer_name,
    attributes.customer_email,
    attributes.customer_address,
    touched.line_count
from touched
inner join attributes using (customer_id)
where touched.line_count > 0
