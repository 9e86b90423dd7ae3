{#-
    In a full build: as many as there are distinct combinations of these columns among the sale
    lines, guests left out where customers count. Says nothing in a delta.
-#}
{% test counts_match_lines(model, measure, columns) %}
    with

    counted as (
        select coalesce({{ measure }}, 0) as in_model
        from {{ model }}
    ),

    combinations as (
        select distinct {{ columns | join(', ') }}
        from {{ ref('fct_order_lines') }}
        where quantity > 0{{ ' and customer_id is not null' if 'customer_id' in columns }}
    ),

    expected as (
        select count(*) as in_lines
        from combinations
    )

    select *
    from counted
    cross join expected
    where
        in_model <> in_lines
        and (select is_full from {{ source('build', 'build') }})
{% endtest %}
