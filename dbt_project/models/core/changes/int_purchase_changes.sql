with

changes as not materialized (
    select
        *,
        date_trunc('month', order_date::timestamp)::date as order_month
    from {{ ref('int_order_changes') }}
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

-- What the same customers bought of the same groups in other orders.
untouched_lines as (
    select
        published_lines.source,
        published_lines.order_id,
        published_lines.customer_id,
        published_lines.product_id,
        published_products.category,
        published_lines.payment_method
    from (select distinct customer_id from touched) as buyers
    inner join {{ published('core', 'fct_order_lines') }} as published_lines using (customer_id)
    inner join {{ published('core', 'dim_product') }} as published_products using (product_key)
    where
        published_lines.quantity > 0
        and (
            (published_lines.customer_id, published_lines.product_id)
            in (select customer_id, product_id from touched)
            or (published_lines.customer_id, published_products.category)
            in (select customer_id, category from touched)
            or (published_lines.customer_id, published_lines.payment_method)
            in (select customer_id, payment_method from touched)
        )
),

untouched as (
    select
        untouched_lines.*,
        date_trunc('month', dated.order_date::timestamp)::date as order_month
    from untouched_lines
    left join (select distinct source, order_id from changes) as touched_orders using (source, order_id)
    -- Looked up order by order: a join may come to read all of history.
    cross join lateral (
        select published_orders.order_date
        from {{ published('core', 'fct_orders') }} as published_orders
        where
            published_orders.source = untouched_lines.source
            and published_orders.order_id = untouched_lines.order_id
        limit 1
    ) as dated
    where touched_orders.source is null
),

-- Both sides have them; lines of groups that nothing touched cancel out.
purchases as not materialized (
    select sign, customer_id, product_id, category, payment_method, order_month from changes
    where is_sale and customer_id is not null
    union all
    select sign, customer_id, product_id, category, payment_method, order_month from untouched
    cross join (values (-1), (1)) as sides (sign)
),

signed as (
    {%- for group in purchase_groups() %}
    select
        {{ only_group(group) }},
        order_month,
        date '0001-01-01' as earlier_month,
        coalesce(sum(sign) filter (where is_sale), 0) as orders,
        coalesce(sum(sign) filter (where not is_sale), 0) as return_orders,
        0 as customers
    from (select distinct sign, source, order_id, is_sale, order_month, {{ group }} from changes) as documents
    group by {{ group }}, order_month

    union all

    select
        {{ only_group(group) }},
        order_month,
        earlier_month,
        0 as orders,
        0 as return_orders,
        sum(sign) as customers
    from (
        select
            sign,
            {{ group }},
            order_month,
            lag(order_month, 1, date '0001-01-01')
                over (partition by customer_id, {{ group }}, sign order by order_month)
                as earlier_month
        from purchases
    ) as in_sequence
    -- Of several lines of a month, the first.
    where earlier_month < order_month
    group by {{ group }}, order_month, earlier_month
    {{ 'union all' if not loop.last }}
    {%- endfor %}
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
