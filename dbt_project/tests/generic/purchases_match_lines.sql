{#-
    Orders and return documents by group and month - the published ones that they replace = those of the orders as
    they will be - those of the orders as published. In a full build, where the lines of all customers are at hand,
    customers by group and month, too: each once a month. What the model has more than the lines is what fails.
-#}
{% test purchases_match_lines(model) %}
    {%- set groups = ['product_id', 'category', 'payment_method'] %}
    with

    changes as not materialized (
        select
            *,
            date_trunc('month', order_date::timestamp)::date as order_month
        from {{ ref('int_order_changes') }}
    ),

    replaced as (
        select published.*
        from {{ ref('int_purchase_changes') }}
        inner join {{ published('marts', 'purchases_monthly') }} as published
            using (product_id, category, payment_method, order_month, earlier_month)
    ),

    sides as (
        select
            1 as sign,
            product_id,
            category,
            payment_method,
            order_month,
            orders,
            return_orders,
            customers
        from {{ model }}

        union all

        select
            -1 as sign,
            product_id,
            category,
            payment_method,
            order_month,
            orders,
            return_orders,
            customers
        from replaced
    ),

    compared as (
        select
            product_id,
            category,
            payment_method,
            order_month,
            sign * orders as orders,
            sign * return_orders as return_orders,
            case when build.is_full then customers else 0 end as customers
        from sides
        cross join {{ source('build', 'build') }} as build
        {%- for group in groups %}

        union all

        select
            {{ only_group(group) }},
            order_month,
            -coalesce(sum(sign) filter (where is_sale), 0) as orders,
            -coalesce(sum(sign) filter (where not is_sale), 0) as return_orders,
            0 as customers
        from (select distinct sign, source, order_id, is_sale, order_month, {{ group }} from changes) as documents
        group by {{ group }}, order_month

        union all

        select
            {{ only_group(group) }},
            order_month,
            0 as orders,
            0 as return_orders,
            -count(*) as customers
        from (
            select distinct customer_id, order_month, {{ group }}
            from changes
            where is_sale and customer_id is not null and (select is_full from {{ source('build', 'build') }})
        ) as purchases
        group by {{ group }}, order_month
        {%- endfor %}
    )

    select
        product_id,
        category,
        payment_method,
        order_month,
        sum(orders) as orders,
        sum(return_orders) as return_orders,
        sum(customers) as customers
    from compared
    group by product_id, category, payment_method, order_month
    having (sum(orders), sum(return_orders), sum(customers)) <> (0, 0, 0)
{% endtest %}
