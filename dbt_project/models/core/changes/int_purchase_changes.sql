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

-- What the same customers bought in other orders; a group that is not touched is null. (Planned together with the
-- next step, all lines may be sorted by customer, and each compared with all of its customer's groups.)
untouched_lines as materialized (
    select
        lines.customer_id,
        lines.source,
        lines.order_id,
        touched_products.product_id,
        touched_categories.category,
        touched_payment_methods.payment_method
    from buyers
    inner join {{ published('core', 'fct_order_lines') }} as lines using (customer_id)
    inner join {{ published('core', 'dim_product') }} as products using (product_key)
    left join touched_orders
        on lines.source = touched_orders.source and lines.order_id = touched_orders.order_id
    left join {{ touched_by('product_id') }} as touched_products
        on lines.customer_id = touched_products.customer_id and lines.product_id = touched_products.product_id
    left join {{ touched_by('category') }} as touched_categories
        on lines.customer_id = touched_categories.customer_id and products.category = touched_categories.category
    left join {{ touched_by('payment_method') }} as touched_payment_methods
        on
            lines.customer_id = touched_payment_methods.customer_id
            and lines.payment_method = touched_payment_methods.payment_method
    where lines.quantity > 0 and touched_orders.source is null
),

orders_of_buyers as (
    select
        customer_id,
        orders.source,
        orders.order_id,
        orders.order_date
    from buyers
    inner join {{ published('core', 'fct_orders') }} as orders using (customer_id)
),

-- A full join never compares each line with each order, however few those of a till are taken for. (The orders
-- without a line of a touched group go, with the other lines.)
dated_lines as materialized (
    select * from untouched_lines
    full join orders_of_buyers using (customer_id, source, order_id)
    where coalesce(product_id, category, payment_method) is not null
),

-- Once a month. An order of several customers names one of them: those of the others are looked up.
untouched as materialized (
    select
        {{ purchase_month('dated_lines') }}
    from dated_lines
    where dated_lines.order_date is not null
    union distinct
    select
        {{ purchase_month('orders') }}
    from dated_lines
    inner join {{ published('core', 'fct_orders') }} as orders using (source, order_id)
    where dated_lines.order_date is null
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
