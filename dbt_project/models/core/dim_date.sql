with

changes as not materialized (
    select * from {{ ref('int_line_changes') }}
),

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

-- The first and the last published day that this build leaves in place, each by one walk
-- along the date index.
kept as (
    (
        select published.sale_date
        from published
        left join changes using (source, order_id, line_key)
        where changes.source is null
        order by published.sale_date
        limit 1
    )
    union all
    (
        select published.sale_date
        from published
        left join changes using (source, order_id, line_key)
        where changes.source is null
        order by published.sale_date desc
        limit 1
    )
),

sale_dates as (
    select sale_date from kept
    union all
    select sale_date from changes
    where sign = 1
),

bounds as (
    select
        date_trunc('year', min(sale_date)) as first_day,
        date_trunc('year', max(sale_date)) + interval '1 year - 1 day' as last_day
    from sale_dates
),

days as (
    select generate_series(first_day, last_day, interval '1 day')::date as date_day
    from bounds
)

select
    date_day as date,
    extract(year from date_day)::integer as year,
    extract(quarter from date_day)::integer as quarter,
    extract(month from date_day)::integer as month,
    extract(isoyear from date_day)::integer as iso_year,
    extract(week from date_day)::integer as iso_week,
    extract(isodow from date_day)::integer as iso_weekday,
    date_trunc('week', date_day)::date as week_start,
    date_trunc('month', date_day)::date as month_start,
    date_trunc('quarter', date_day)::date as quarter_start,
    date_trunc('year', date_day)::date as year_start
from days
