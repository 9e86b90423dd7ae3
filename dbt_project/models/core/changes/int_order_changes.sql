with

changes as not materialized (
    select * from {{ ref('int_line_changes') }}
),

published_lines as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
),

published_orders as not materialized (
    select * from {{ published('core', 'fct_orders') }}
),

published_products as not materialized (
    select * from {{ published('core', 'dim_product') }}
),

touched as (
    select distinct
        source,
        order_id
    from changes
),

untouched_lines as (
    select
        published_lines.*,
        published_products.category
    from touched
    inner join published_lines using (source, order_id)
    inner join published_products using (product_key)
    left join changes using (source, order_id, line_key)
    where changes.source is null
),

-- A changed line may move the date of a whole order: both sides have all of its lines.
lines as (
    select
        sides.sign,
        untouched_lines.source,
        untouched_lines.order_id,
        untouched_lines.customer_id,
        untouched_lines.region,
        untouched_lines.product_id,
        untouched_lines.category,
        untouched_lines.payment_method,
        untouched_lines.quantity
    from untouched_lines
    cross join (values (-1), (1)) as sides (sign)

    union all

    select
        sign,
        source,
        order_id,
        customer_id,
        region,
        product_id,
        category,
        payment_method,
        quantity
    from changes
),

orders as (
    select
        -1 as sign,
        published_orders.source,
        published_orders.order_id,
        published_orders.order_date,
        published_orders.is_sale
    from touched
    inner join published_orders using (source, order_id)

    union all

    select
        1 as sign,
        source,
        order_id,
        order_date,
        is_sale
    from {{ ref('fct_orders') }}
)

select
    lines.sign,
    lines.source,
    lines.order_id,
    orders.order_date,
    orders.is_sale,
    lines.customer_id,
    lines.region,
    lines.product_id,
    lines.category,
    lines.payment_method
from lines
inner join orders using (sign, source, order_id)
where lines.quantity > 0 or not orders.is_sale
