{#- Of a customer's published orders before its first touched day, the last two of these rows. -#}
{% macro last_two_orders(before, rows) -%}
(
    select
        {{ columns_of('published', ['customer_id', 'region', 'source', 'order_id', 'order_date']) }}
    from published
    where
        published.customer_id = {{ before }}.customer_id
        and published.order_date < {{ before }}.first_day
        and {{ rows }}
    order by published.order_date desc, published.source desc, published.order_id desc
    limit 2
)
{%- endmacro %}
