with

changes as not materialized (
    select * from {{ ref('int_line_changes') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

touched as (
    select distinct
        source,
        order_id
    from changes
),

untouched_lines as (
    select published.*
    from touched
    inner join published using (source, order_id)
    left join changes using (source, order_id, line_key)
    where changes.source is null
),

{%- set columns -%}
    source,
    order_id,
    sale_date,
    customer_id,
    quantity,
    net_revenue
{%- endset %}

lines as (
    select {{ columns }} from untouched_lines
    union all
    select {{ columns }} from changes
    where sign = 1
),

-- An order is dated and signed for by its sale lines; a document of returns alone by its
-- return lines.
orders as (
    select
        source,
        order_id,
        coalesce(min(sale_date) filter (where quantity > 0), min(sale_date)) as order_date,
        bool_or(quantity > 0) as is_sale,
        case
            when bool_or(quantity > 0) then min(customer_id) filter (where quantity > 0)
            else min(customer_id)
        end as customer_id,
        coalesce(
            min(customer_id) filter (where quantity > 0) <> max(customer_id) filter (where quantity > 0),
            false
        ) as has_several_customers,
        count(*)::integer as line_count,
        sum(net_revenue)::numeric(38, 12) as net_revenue
    from lines
    group by source, order_id
)

select * from orders
