{#-
    The orders of each sequence (a customer, or a customer in a region) with the dates of the two
    orders before. From the first touched day on, a sequence is computed anew; earlier orders
    are as published, and of those only the last two are looked at: a customer id that stands for
    everyone at the till must not cost its whole history each time.
-#}
{% macro order_sequences(published_name, of) -%}
{%- set sequence = of | join(', ') -%}
with

changes as (
    select distinct
        sign,
        {{ sequence }},
        source,
        order_id,
        order_date
    from {{ ref('int_order_changes') }}
    where is_sale and customer_id is not null
),

published as not materialized (
    select * from {{ published('marts', published_name) }}
),

touched as (
    select
        {{ sequence }},
        min(order_date) as first_day
    from changes
    group by {{ sequence }}
),

earlier as (
    select last_two.*
    from touched
    cross join lateral (
        select
            {{ sequence }},
            source,
            order_id,
            order_date
        from published
        where
            {%- for name in of %}
            published.{{ name }} = touched.{{ name }} and
            {%- endfor %}
            published.order_date < touched.first_day
        order by published.order_date desc, published.source desc, published.order_id desc
        limit 2
    ) as last_two
),

untouched as (
    select
        {{ sequence }},
        source,
        order_id,
        published.order_date
    from touched
    inner join published using ({{ sequence }})
    left join changes using ({{ sequence }}, source, order_id)
    where published.order_date >= touched.first_day and changes.sign is null
),

orders as (
    select
        true as is_earlier,
        earlier.*
    from earlier

    union all

    select
        false as is_earlier,
        untouched.*
    from untouched

    union all

    select
        false as is_earlier,
        {{ sequence }},
        source,
        order_id,
        order_date
    from changes
    where sign = 1
),

in_sequence as (
    select
        *,
        lag(order_date, 1) over in_order as previous_order_date,
        lag(order_date, 2) over in_order as second_previous_order_date
    from orders
    window in_order as (partition by {{ sequence }} order by order_date, source, order_id)
)

select
    {{ sequence }},
    source,
    order_id,
    order_date,
    previous_order_date,
    second_previous_order_date
from in_sequence
where not is_earlier
{%- endmacro %}
