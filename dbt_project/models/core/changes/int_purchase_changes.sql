with

changes as not materialized (
    select
        *,
        date_trunc('month', order_date::timestamp)::date as order_month
    from {{ ref('int_order_changes') }}
),

touched_orders as (
    select distinct
        source,
        order_id
    from changes
),

-- A full build replaces nothing that is published.
touched as (
    select distinct
        customer_id,
        product_id,
        category,
        payment_method
    from changes
    where is_sale and customer_id is not null and not (select is_full from {{ source('build', 'build') }})
),

buyers as (
    select distinct customer_id from touched
),

-- What the same customers bought in other orders, of the groups that are touched.
untouched_lines as (
    select
        lines.source,
        lines.order_id,
        lines.customer_id,
        {{ if_touched('lines.product_id', 'product_id') }} as product_id,
        {{ if_touched('products.category', 'category') }} as category,
        {{ if_touched('lines.payment_method', 'payment_method') }} as payment_method
    from buyers
    inner join {{ published('core', 'fct_order_lines') }} as lines using (customer_id)
    inner join {{ published('core', 'dim_product') }} as products using (product_key)
    left join touched_orders using (source, order_id)
    where lines.quantity > 0 and touched_orders.source is null
),

-- Their orders are looked up one by one: a join may come to read all of history.
untouched as materialized (
    select
        customer_id,
        product_id,
        category,
        payment_method,
        date_trunc('month', (
            select orders.order_date
            from {{ published('core', 'fct_orders') }} as orders
            where orders.source = untouched_lines.source and orders.order_id = untouched_lines.order_id
        )::timestamp)::date as order_month
    from untouched_lines
    where coalesce(product_id, category, payment_method) is not null
),

{%- set columns = 'sign, customer_id, product_id, category, payment_method, order_month' %}

-- Both sides have what is untouched.
purchases as not materialized (
    select {{ columns }} from changes
    where is_sale and customer_id is not null
    union all
    select {{ columns }} from untouched
    cross join (values (-1), (1)) as sides (sign)
),

signed as (
    {{ signed_purchases('product_id') }}
    union all
    {{ signed_purchases('category') }}
    union all
    {{ signed_purchases('payment_method') }}
)

select
    product_id,
    category,
    payment_method,
    order_month,
    earlier_month,
    sum(orders)::integer as orders,
    sum(return_orders)::integer as return_orders,
    sum(customers)::integer as customers
from signed
group by product_id, category, payment_method, order_month, earlier_month
having (sum(orders), sum(return_orders), sum(customers)) <> (0, 0, 0)
