{#-
    After this build each touched sequence has one first order, and every order's previous dates
    are in order.
-#}
{% test sequence_is_whole(model, of, published_name) %}
    {%- set sequence = of | join(', ') %}
    with

    untouched as (
        select
            {{ sequence }},
            published.previous_order_date
        from (select distinct {{ sequence }} from {{ model }}) as sequences
        inner join {{ published('marts', published_name) }} as published using ({{ sequence }})
        left join {{ model }} as candidate using ({{ sequence }}, source, order_id)
        left join {{ ref('int_order_changes') }} as changes using ({{ sequence }}, source, order_id)
        where
            published.previous_order_date is null
            and candidate.source is null
            and changes.source is null
    ),

    firsts as (
        select {{ sequence }}, previous_order_date from untouched
        union all
        select {{ sequence }}, previous_order_date from {{ model }}
    )

    select
        {{ sequence }},
        'has ' || count(*) filter (where previous_order_date is null) || ' first orders' as problem
    from firsts
    group by {{ sequence }}
    having count(*) filter (where previous_order_date is null) <> 1

    union all

    select
        {{ sequence }},
        'order ' || order_id || ' has a later previous order' as problem
    from {{ model }}
    where
        previous_order_date > order_date
        or second_previous_order_date > previous_order_date
        or (previous_order_date is null and second_previous_order_date is not null)
{% endtest %}
