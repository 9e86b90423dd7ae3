{#-
    By group and month: orders and return documents - the published ones that they replace = those of the orders as
    they will be - those of the orders as published. In a full build, which replaces nothing: in sum over all groups
    of a kind, and customers, too, each once in a group and month. A failing row says by how many the model has more.
-#}
{% test purchases_match_lines(model) %}
    {%- set groups = ['product_id', 'category', 'payment_method'] %}
    {%- set counts = ['orders', 'return_orders', 'customers'] %}
    {%- set columns = (groups + ['order_month'] + counts) | join(', ') %}
    with

    build as (
        select is_full from {{ source('build', 'build') }}
    ),

    changes as not materialized (
        select
            *,
            date_trunc('month', order_date::timestamp)::date as order_month
        from {{ ref('int_order_changes') }}
    ),

    sides as (
        select 1 as sign, {{ columns }}
        from {{ model }}

        union all

        select -1 as sign, {{ columns_of('replaced', columns.split(', ')) }}
        from {{ ref('int_purchase_changes') }}
        inner join {{ published('marts', 'purchases_monthly') }} as replaced
            using (product_id, category, payment_method, order_month, earlier_month)
    ),

    compared as (
        {%- for group in groups %}
        {%- set of_group_and_month -%}
            '{{ group }}' as counted_by,
            case when is_full then '' else {{ group }} end as counted_group,
            case when not is_full then order_month end as counted_month
        {%- endset %}
        select
            {{ of_group_and_month }},
            sum(sign * orders) as orders,
            sum(sign * return_orders) as return_orders,
            coalesce(sum(customers) filter (where is_full), 0) as customers
        from sides
        cross join build
        where {{ group }} <> ''
        group by counted_by, counted_group, counted_month

        union all

        select
            {{ of_group_and_month }},
            -coalesce(sum(sign) filter (where is_sale), 0) as orders,
            -coalesce(sum(sign) filter (where not is_sale), 0) as return_orders,
            0 as customers
        from (select distinct sign, source, order_id, is_sale, order_month, {{ group }} from changes) as documents
        cross join build
        group by counted_by, counted_group, counted_month

        union all

        select
            '{{ group }}' as counted_by,
            '' as counted_group,
            null as counted_month,
            0 as orders,
            0 as return_orders,
            -count(*) as customers
        from (
            select distinct customer_id, order_month, {{ group }} from changes
            where is_sale and customer_id is not null and (select is_full from build)
        ) as purchases
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select
        counted_by,
        counted_group,
        counted_month,
        sum(orders) as orders,
        sum(return_orders) as return_orders,
        sum(customers) as customers
    from compared
    group by counted_by, counted_group, counted_month
    having (sum(orders), sum(return_orders), sum(customers)) <> (0, 0, 0)
{% endtest %}
