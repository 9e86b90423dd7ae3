with

changes as (
    select * from {{ ref('int_line_changes') }}
    where customer_id is not null
),

published as (
    select * from {{ published('marts', 'customer_revenue_daily') }}
),

signed as (
    select
        sale_date,
        customer_id,
        {{ signed_sums() }}
    from changes
    group by sale_date, customer_id
),

rolled_forward as (
    select
        signed.sale_date,
        signed.customer_id,
        {{ rolled_forward() }}
    from signed
    left join published using (sale_date, customer_id)
)

select * from rolled_forward
where line_count > 0
