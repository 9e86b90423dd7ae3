with

changes as (
    select * from {{ ref('int_line_changes') }}
),

published as (
    select * from {{ published('marts', 'revenue_daily') }}
),

signed as (
    select
        sale_date,
        source,
        region,
        category,
        payment_method,
        {{ signed_sums() }}
    from changes
    group by sale_date, source, region, category, payment_method
),

rolled_forward as (
    select
        signed.sale_date,
        signed.source,
        signed.region,
        signed.category,
        signed.payment_method,
        {{ rolled_forward() }}
    from signed
    left join published using (sale_date, source, region, category, payment_method)
)

select * from rolled_forward
where line_count > 0
