{#-
    After this build each touched sequence of these rows has one first order, and every order's previous
    dates are in order.
-#}
{% test sequence_is_whole(model, of, previous, second_previous, rows='true') %}
    {%- set sequence = of | join(', ') %}
    with

    published as not materialized (
        select * from {{ published('marts', 'customer_orders') }} as published
        where {{ rows }}
    ),

    untouched as (
        select
            {{ sequence }},
            published.{{ previous }}
        from (select distinct {{ sequence }} from {{ model }}) as sequences
        inner join published using ({{ sequence }})
        left join {{ model }} as candidate
            using ({{ (of + ['source', 'order_id']) | join(', ') }})
        left join {{ ref('int_order_changes') }} as changes
            using ({{ (of + ['source', 'order_id']) | join(', ') }})
        where
            published.{{ previous }} is null
            and candidate.source is null
            and changes.source is null
    ),

    firsts as (
        select {{ sequence }}, {{ previous }} from untouched
        union all
        select {{ sequence }}, {{ previous }} from {{ model }}
        where {{ rows }}
    )

    select
        {{ sequence }},
        'has ' || count(*) filter (where {{ previous }} is null) || ' first orders' as problem
    from firsts
    group by {{ sequence }}
    having count(*) filter (where {{ previous }} is null) <> 1

    union all

    select
        {{ sequence }},
        'order ' || order_id || ' has a later previous order' as problem
    from {{ model }}
    where
        {{ previous }} > order_date
        or {{ second_previous }} > {{ previous }}
        or ({{ previous }} is null and {{ second_previous }} is not null)
{% endtest %}
