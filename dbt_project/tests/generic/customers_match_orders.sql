{#-
    In a full build: as many customers over all days as there are pairs of customer and day, over all regions and
    within them. In every build: no count is below zero.
-#}
{% test customers_match_orders(model) %}
    with

    in_model as (
        select
            coalesce(sum(customers) filter (where region = ''), 0) as over_all,
            coalesce(sum(customers) filter (where region <> ''), 0) as by_region,
            coalesce(min(customers), 0) as least
        from {{ model }}
    ),

    in_orders as (
        select
            count(*) filter (where is_first_region) as orders_over_all,
            count(*) as orders_by_region
        from (
            select
                customer_id,
                order_date,
                region,
                row_number() over (partition by customer_id, order_date) = 1 as is_first_region
            from {{ ref('customer_orders') }}
            where (select is_full from {{ source('build', 'build') }})
            group by customer_id, order_date, region
        ) as of_days
    )

    select *
    from in_model
    cross join in_orders
    where
        least < 0
        or (
            (over_all, by_region) <> (orders_over_all, orders_by_region)
            and (select is_full from {{ source('build', 'build') }})
        )
{% endtest %}
