{#-
    Candidate counts - the published ones = the change of customers' orders, at each step, over all regions
    and within them; and no count is below zero.
-#}
{% test returns_match_orders(model) %}
    with

    in_model as (
        select
            region <> '' as is_by_region,
            step,
            1 as sign,
            orders
        from {{ model }}

        union all

        select
            region <> '' as is_by_region,
            step,
            -1 as sign,
            orders
        from {{ published('marts', 'customer_returns_monthly') }} as published
    ),

    changes as (
        select distinct
            sign,
            customer_id,
            source,
            order_id,
            region
        from {{ ref('int_order_changes') }}
        where is_sale and customer_id is not null
    ),

    in_orders as (
        select
            false as is_by_region,
            sum(sign) as orders
        from (select distinct sign, customer_id, source, order_id from changes) as orders

        union all

        select
            true as is_by_region,
            sum(sign) as orders
        from changes
    ),

    steps as (
        select
            in_orders.is_by_region,
            steps.step,
            coalesce(in_orders.orders, 0) as orders
        from in_orders
        cross join (values (1), (2)) as steps (step)
    ),

    compared as (
        select
            steps.is_by_region,
            steps.step,
            steps.orders,
            coalesce(sum(in_model.sign * in_model.orders), 0) as orders_in_model
        from steps
        left join in_model using (is_by_region, step)
        group by steps.is_by_region, steps.step, steps.orders
    )

    select
        is_by_region,
        step,
        orders_in_model,
        orders
    from compared
    where orders_in_model <> orders

    union all

    select
        region <> '' as is_by_region,
        step,
        orders as orders_in_model,
        0 as orders
    from {{ model }}
    where orders < 0
{% endtest %}
