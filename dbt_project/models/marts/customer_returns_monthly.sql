-- Customers of whole months without a look at their orders: of those, the ones whose earlier order lies
-- before the first month are the customers, each once.
with

{%- set sequences = [
    {'name': 'customer_orders', 'region': "'' as region", 'of': ['customer_id']},
    {'name': 'customer_orders_by_region', 'region': 'region', 'of': ['customer_id', 'region']},
] %}

{#- A full build replaces nothing that is published. #}
{%- for sequence in sequences %}
    {%- set key = (sequence.of + ['source', 'order_id']) | join(', ') %}

    {{ sequence.name }}_touched as (
        select {{ key }} from {{ ref(sequence.name) }}
        where not (select is_full from {{ source('build', 'build') }})
        union distinct
        select {{ key }} from {{ ref('int_order_changes') }}
        where customer_id is not null and not (select is_full from {{ source('build', 'build') }})
    ),
{%- endfor %}

sides as (
    {%- for sequence in sequences %}
        {%- set key = (sequence.of + ['source', 'order_id']) | join(', ') %}
        select
            1 as sign,
            {{ sequence.region }},
            order_date,
            previous_order_date,
            second_previous_order_date
        from {{ ref(sequence.name) }}

        union all

        select
            -1 as sign,
            {{ sequence.region }},
            published.order_date,
            published.previous_order_date,
            published.second_previous_order_date
        from {{ sequence.name }}_touched
        inner join {{ published('marts', sequence.name) }} as published using ({{ key }})
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

signed as (
    select
        sides.region,
        steps.step,
        date_trunc('month', sides.order_date::timestamp)::date as order_month,
        coalesce(date_trunc('month', steps.order_date::timestamp), date '0001-01-01')::date as earlier_month,
        sum(sides.sign) as orders
    from sides
    cross join
        lateral (values (1, sides.previous_order_date), (2, sides.second_previous_order_date))
            as steps (step, order_date)
    group by sides.region, steps.step, order_month, earlier_month
),

summed as (
    select * from signed
    union all
    select
        region,
        step,
        order_month,
        earlier_month,
        orders
    from {{ published('marts', 'customer_returns_monthly') }} as published
)

select
    region,
    step,
    order_month,
    earlier_month,
    sum(orders)::bigint as orders
from summed
group by region, step, order_month, earlier_month
having sum(orders) <> 0
