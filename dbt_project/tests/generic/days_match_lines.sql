{#-
    A row for each day without a gap, and the series' sums - the published ones = the sum of the
    signed lines.
-#}
{% test days_match_lines(model) %}
    with

    sides as (
        select
            1 as sign,
            line_count,
            net_revenue
        from {{ model }}

        union all

        select
            -1 as sign,
            line_count,
            net_revenue
        from {{ published('marts', 'revenue_anomalies') }} as published
    ),

    series as (
        select
            coalesce(sum(sign * line_count), 0) as line_count,
            coalesce(sum(sign * net_revenue), 0) as net_revenue
        from sides
    ),

    signed as (
        select
            coalesce(sum(sign), 0) as signed_lines,
            coalesce(sum(sign * net_revenue), 0) as signed_revenue
        from {{ ref('int_line_changes') }}
    ),

    reach as (
        select
            count(*) as days,
            coalesce(max(sale_date) - min(sale_date) + 1, 0) as days_in_reach
        from {{ model }}
    )

    select *
    from series
    cross join signed
    cross join reach
    where
        line_count <> signed_lines
        or net_revenue <> signed_revenue
        or days <> days_in_reach
{% endtest %}
