{#- Of a customer's published orders before its first touched day, the last two of these rows. -#}
{% macro last_two_orders(before, rows) -%}
(
    select
        {{ columns_of('published', ['customer_id', 'region', 'source', 'order_id', 'order_date']) }}
    from published
    where
        published.customer_id = {{ before }}.customer_id
        and published.order_date < {{ before }}.first_day
        and {{ rows }}
    order by published.order_date desc, published.source desc, published.order_id desc
    limit 2
)
{%- endmacro %}

{#- The steps ``touched`` and ``sides``: the orders of customers that this build writes, and what they replace. -#}
{% macro changed_sequences() -%}
{%- set key = 'customer_id, order_date, source, order_id, region' -%}
{%- set sequences -%}
    order_date,
    region,
    is_first_region,
    previous_order_date,
    second_previous_order_date,
    previous_order_date_in_region,
    second_previous_order_date_in_region
{%- endset -%}
-- A full build replaces nothing that is published.
touched as (
    select {{ key }} from {{ ref('customer_orders') }}
    where not (select is_full from {{ source('build', 'build') }})
    union distinct
    select {{ key }} from {{ ref('int_order_changes') }}
    where customer_id is not null and not (select is_full from {{ source('build', 'build') }})
),

sides as (
    select
        1 as sign,
        {{ sequences }}
    from {{ ref('customer_orders') }}

    union all

    select
        -1 as sign,
        {{ sequences }}
    from touched
    inner join {{ published('marts', 'customer_orders') }} as published using ({{ key }})
)
{%- endmacro %}
