with

changes as (
    select * from {{ ref('int_line_changes') }}
),

published as (
    select * from {{ published('marts', 'revenue_by_product_monthly') }}
),

signed as (
    select
        month_start,
        product_id,
        {{ signed_sums() }}
    from changes
    group by month_start, product_id
),

rolled_forward as (
    select
        signed.month_start,
        signed.product_id,
        {{ rolled_forward() }}
    from signed
    left join published using (month_start, product_id)
)

select * from rolled_forward
where line_count > 0
-- A range of months is read from pages side by side.
order by month_start, product_id
