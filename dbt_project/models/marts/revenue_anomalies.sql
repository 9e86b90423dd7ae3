-- The modified z-score of Iglewicz and Hoaglin ("How to Detect and Handle Outliers", 1993).
with

changes as (
    select
        sale_date,
        sum(sign) as line_count,
        sum(sign * net_revenue) as net_revenue
    from {{ ref('int_line_changes') }}
    group by sale_date
),

selling_days as (
    select
        sale_date,
        coalesce(published.line_count, 0) + coalesce(changes.line_count, 0) as line_count,
        coalesce(published.net_revenue, 0) + coalesce(changes.net_revenue, 0) as net_revenue
    from changes
    full join {{ published('marts', 'revenue_anomalies') }} as published using (sale_date)
),

calendar as (
    select generate_series(min(sale_date), max(sale_date), interval '1 day')::date as sale_date
    from selling_days
    where line_count > 0
),

days as materialized (
    select
        calendar.sale_date,
        coalesce(selling_days.line_count, 0)::bigint as line_count,
        coalesce(selling_days.net_revenue, 0)::numeric(38, 12) as net_revenue
    from calendar
    left join selling_days using (sale_date)
),

-- The same weekday in the eight weeks before and the eight after.
reference_days as (
    select
        days.sale_date,
        other.net_revenue
    from days
    cross join generate_series(-8, 8) as weeks (away)
    inner join days as other on other.sale_date = days.sale_date + 7 * weeks.away
    where weeks.away <> 0
),

expectations as (
    select
        sale_date,
        ({{ exact_median('net_revenue') }})::numeric(38, 12) as expected
    from reference_days
    group by sale_date
    having count(*) >= 6
),

-- Where most references are equal their median deviation is 0: then the mean one, by 1.253314.
deviations as (
    select
        sale_date,
        expectations.expected,
        coalesce(
            nullif(1.4826 * {{ exact_median('abs(net_revenue - expected)') }}, 0),
            1.253314 * sum(abs(net_revenue - expected))::numeric(62, 24) / count(*)
        ) as deviation
    from reference_days
    inner join expectations using (sale_date)
    group by sale_date, expectations.expected
),

-- What a day with sales brings in those weeks.
usual as (
    select
        sale_date,
        (sum(abs(net_revenue)) over around)::numeric(62, 24)
        / nullif(count(*) filter (where net_revenue <> 0) over around, 0) as revenue
    from days
    window around as (order by sale_date rows between 56 preceding and 56 following exclude current row)
),

-- Never narrower than a twentieth of what is expected; and where nothing is, because the weekday
-- is mostly without sales, not narrower than a usual day.
spreads as (
    select
        sale_date,
        deviations.expected,
        greatest(
            deviations.deviation,
            case when deviations.expected = 0 then usual.revenue else 0.05 * abs(deviations.expected) end
        )::numeric(38, 12) as spread
    from deviations
    inner join usual using (sale_date)
),

-- Cut at a million, for a spread may be as small as money gets.
scores as (
    select
        sale_date,
        spreads.expected,
        spreads.spread,
        case
            when spreads.spread > 0 then least(1000000, greatest(
                -1000000, (days.net_revenue - spreads.expected)::numeric(62, 24) / spreads.spread
            ))
        end::numeric(20, 6) as score
    from days
    inner join spreads using (sale_date)
)

select
    sale_date,
    extract(isodow from sale_date)::integer as weekday,
    days.line_count,
    days.net_revenue,
    scores.expected,
    scores.spread,
    scores.score,
    coalesce(abs(scores.score) > 3.5, false) as is_anomaly
from days
left join scores using (sale_date)
