{#-
    Candidate counts - the published counts that they replace = the orders as they will be - the
    orders as published, counted in fct_orders itself; and the net revenue of those is that of the signed lines.
-#}
{% test counts_match_orders(model, published_name) %}
    with

    touched_days as (
        select distinct
            order_date,
            source
        from {{ ref('int_order_changes') }}
    ),

    touched_orders as (
        select distinct
            source,
            order_id
        from {{ ref('int_line_changes') }}
    ),

    in_model as (
        select
            1 as sign,
            orders,
            return_orders
        from {{ model }}

        union all

        select
            -1 as sign,
            published.orders,
            published.return_orders
        from touched_days
        inner join {{ published('marts', published_name) }} as published using (order_date, source)
    ),

    in_orders as (
        select
            1 as sign,
            is_sale,
            net_revenue
        from {{ ref('fct_orders') }}

        union all

        select
            -1 as sign,
            published.is_sale,
            published.net_revenue
        from touched_orders
        inner join {{ published('core', 'fct_orders') }} as published using (source, order_id)
    ),

    compared as (
        select
            coalesce((select sum(sign * orders) from in_model), 0) as orders_in_model,
            coalesce((select sum(sign) from in_orders where is_sale), 0) as orders,
            coalesce((select sum(sign * return_orders) from in_model), 0) as return_orders_in_model,
            coalesce((select sum(sign) from in_orders where not is_sale), 0) as return_orders,
            coalesce((select sum(sign * net_revenue) from in_orders), 0) as net_revenue_of_orders,
            coalesce(
                (select sum({{ signed('net_revenue') }}) from {{ ref('int_line_changes') }}), 0
            ) as net_revenue_of_lines
    )

    select *
    from compared
    where
        orders_in_model <> orders
        or return_orders_in_model <> return_orders
        or net_revenue_of_orders <> net_revenue_of_lines
{% endtest %}
