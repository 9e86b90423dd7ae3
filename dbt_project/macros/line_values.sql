{#-
    A line's values: where none of them differs, nothing has changed. Its share of an order's shipping is
    none of them: it depends on the other lines of the order.
-#}
{% macro line_values(relation) -%}
    (
        {{ relation }}.product_key, {{ relation }}.customer_id, {{ relation }}.customer_key,
        {{ relation }}.region, {{ relation }}.payment_method, {{ relation }}.sale_date,
        {{ relation }}.quantity, {{ relation }}.unit_price, {{ relation }}.discount,
        {{ relation }}.discount_amount, {{ relation }}.order_shipping,
        case when {{ relation }}.order_shipping is null then {{ relation }}.shipping end,
        {{ relation }}.gross_revenue, {{ relation }}.net_revenue, {{ relation }}.tax,
        {{ relation }}.unit_cost, {{ relation }}.extra
    )
{%- endmacro %}

{#- A line's own columns, as they go through a build; its shipping is counted last. -#}
{% macro line_columns() -%}
    source,
    order_id,
    product_id,
    occurrence,
    line_key,
    product_key,
    customer_id,
    customer_key,
    region,
    payment_method,
    sale_date,
    quantity,
    unit_price,
    discount,
    discount_amount,
    order_shipping,
    unit_cost,
    gross_revenue,
    discounts,
    returns,
    net_revenue,
    tax,
    cost,
    extra,
    batch_id,
    row_number
{%- endmacro %}
