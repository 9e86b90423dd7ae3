{#- What purchases are counted by: a row has one of the three, and the others are empty. -#}
{% macro only_group(group) -%}
    {%- for column in ['product_id', 'category', 'payment_method'] %}
            {{ column if column == group else "'' as " ~ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The touched values of one of the groups, by customer. -#}
{% macro touched_by(group) -%}
(
        select distinct
            customer_id,
            {{ group }}
        from touched
    )
{%- endmacro %}

{#- A line's month, by its order's date, and groups. Sorted by the month first, few texts have to be compared. -#}
{% macro purchase_month(dated) -%}
        date_trunc('month', {{ dated }}.order_date::timestamp)::date as order_month,
        dated_lines.customer_id,
        dated_lines.product_id,
        dated_lines.category,
        dated_lines.payment_method
{%- endmacro %}

{#-
    Signed counts by one of the groups: an order is one there, however many lines it has; a customer
    counts in each month with a purchase, by the month of the one before.
-#}
{% macro signed_purchases(group) -%}
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
                    over (partition by customer_id, {{ group }}, sign order by order_month) as earlier_month
            from purchases
            where {{ group }} is not null
        ) as in_sequence
        -- Of several lines of a month, the first.
        where earlier_month < order_month
        group by {{ group }}, order_month, earlier_month
{%- endmacro %}
