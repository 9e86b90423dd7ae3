-- Distinct customers of any whole months without a look at their orders: those whose earlier month lies
-- before the first of them, each once.
with

signed as (
    select * from {{ ref('int_purchase_changes') }}
),

published as (
    select * from {{ published('marts', 'purchases_monthly') }}
),

rolled_forward as (
    select
        product_id,
        category,
        payment_method,
        order_month,
        earlier_month,
        coalesce(published.orders, 0) + signed.orders as orders,
        coalesce(published.return_orders, 0) + signed.return_orders as return_orders,
        coalesce(published.customers, 0) + signed.customers as customers
    from signed
    left join published using (product_id, category, payment_method, order_month, earlier_month)
)

select * from rolled_forward
where (orders, return_orders, customers) <> (0, 0, 0)
-- The few rows of categories are read from pages side by side.
order by product_id, category, payment_method, order_month, earlier_month
