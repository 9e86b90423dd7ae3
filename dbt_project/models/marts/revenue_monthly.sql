with

changes as (
    select * from {{ ref('int_line_changes') }}
),

published as (
    select * from {{ published('marts', 'revenue_monthly') }}
),

signed as (
    select
        month_start,
        source,
        region,
        category,
        payment_method,
        {{ signed_sums() }}
    from changes
    group by month_start, source, region, category, payment_method
),

rolled_forward as (
    select
        signed.month_start,
        signed.source,
        signed.region,
        signed.category,
        signed.payment_method,
        {{ rolled_forward() }}
    from signed
    left join published using (month_start, source, region, category, payment_method)
)

select * from rolled_forward
where line_count > 0
