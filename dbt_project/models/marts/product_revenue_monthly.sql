with

changes as (
    select * from {{ ref('int_line_changes') }}
),

published as (
    select * from {{ published('marts', 'product_revenue_monthly') }}
),

signed as (
    select
        month_start,
        product_id,
        category,
        region,
        {{ signed_sums() }}
    from changes
    group by month_start, product_id, category, region
),

rolled_forward as (
    select
        signed.month_start,
        signed.product_id,
        signed.category,
        signed.region,
        {{ rolled_forward() }}
    from signed
    left join published using (month_start, product_id, category, region)
)

select * from rolled_forward
where line_count > 0
