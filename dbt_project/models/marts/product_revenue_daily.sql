with

changes as (
    select * from {{ ref('int_line_changes') }}
),

published as (
    select * from {{ published('marts', 'product_revenue_daily') }}
),

signed as (
    select
        sale_date,
        product_id,
        category,
        region,
        {{ signed_sums() }}
    from changes
    group by sale_date, product_id, category, region
),

rolled_forward as (
    select
        signed.sale_date,
        signed.product_id,
        signed.category,
        signed.region,
        {{ rolled_forward() }}
    from signed
    left join published using (sale_date, product_id, category, region)
)

select * from rolled_forward
where line_count > 0
