with

changes as not materialized (
    select * from {{ ref('int_line_changes') }}
),

published as not materialized (
    select * from {{ published('core', 'dim_region') }}
),

signed as (
    select
        region,
        sum(sign)::bigint as line_count
    from changes
    group by region
),

rolled_forward as (
    select
        signed.region,
        (coalesce(published.line_count, 0) + signed.line_count)::bigint as line_count
    from signed
    left join published using (region)
)

select * from rolled_forward
where line_count > 0
