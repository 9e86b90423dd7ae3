{#-
    Orders by group - the published ones that they replace = those of the orders as they will be - those of
    the orders as published; and nothing is counted below zero.
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
        {%- for group in purchase_groups() %}
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

    select
        counted_by,
        in_model::text || ' documents instead of ' || in_lines::text as problem
    from compared
    where in_model <> in_lines

    union all

    select
        coalesce(nullif(product_id, ''), nullif(category, ''), payment_method) as counted_by,
        'counted below zero' as problem
    from {{ model }}
    where orders < 0 or return_orders < 0 or customers < 0
{% endtest %}
