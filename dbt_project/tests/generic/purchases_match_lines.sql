{#-
    Orders by group - the published ones that they replace = those of the orders as they will be - those of
    the orders as published.
-#}
{% test purchases_match_lines(model) %}
    with

    sides as (
        select
            product_id,
            category,
            payment_method,
            orders + return_orders as documents
        from {{ model }}

        union all

        select
            product_id,
            category,
            payment_method,
            -published.orders - published.return_orders as documents
        from {{ ref('int_purchase_changes') }} as touched
        inner join {{ published('marts', 'purchases_monthly') }} as published
            using (product_id, category, payment_method, order_month, earlier_month)
    ),

    compared as (
        {%- for group in ['product_id', 'category', 'payment_method'] %}
        select
            '{{ group }}' as counted_by,
            (select coalesce(sum(documents), 0) from sides where {{ group }} <> '') as in_model,
            (
                select coalesce(sum(sign), 0)
                from (
                    select distinct sign, source, order_id, {{ group }}
                    from {{ ref('int_order_changes') }}
                ) as documents
            ) as in_lines
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select * from compared
    where in_model <> in_lines
{% endtest %}
