{#- The columns of a line, as they go through a build; its shipping is counted last. -#}
{% macro line_columns() %}
    {{ return([
        'source', 'order_id', 'product_id', 'occurrence', 'line_key', 'refund_id', 'product_key', 'customer_id',
        'customer_key', 'store_id', 'own_region', 'region', 'payment_method', 'sale_date', 'quantity',
        'unit_price', 'discount', 'discount_amount', 'order_shipping', 'own_unit_cost', 'unit_cost',
        'gross_revenue', 'discounts', 'returns', 'net_revenue', 'tax', 'cost', 'extra', 'batch_id', 'row_number',
    ]) }}
{% endmacro %}

{#-
    What a delivery says of a line; the rest follows from it and from other feeds. Its share of an order's
    shipping is none of it: that depends on the other lines of the order.
-#}
{% macro line_values(relation) -%}
    (
        {{ relation }}.product_key, {{ relation }}.customer_id, {{ relation }}.customer_key,
        {{ relation }}.store_id, {{ relation }}.own_region, {{ relation }}.payment_method,
        {{ relation }}.sale_date, {{ relation }}.quantity, {{ relation }}.unit_price, {{ relation }}.discount,
        {{ relation }}.discount_amount, {{ relation }}.order_shipping,
        case when {{ relation }}.order_shipping is null then {{ relation }}.shipping end,
        {{ relation }}.gross_revenue, {{ relation }}.net_revenue, {{ relation }}.tax,
        {{ relation }}.own_unit_cost, {{ relation }}.extra
    )
{%- endmacro %}

{#- Columns of one relation. -#}
{% macro columns_of(relation, columns) -%}
    {%- for column in columns %}{{ relation }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{#- How many of the overwrites after the one place and up to the other only lack the line as its row was quarantined. -#}
{% macro kept_by(after, until) -%}
    case
        when positions is null then 0
        else (
            select count(*) from unnest(positions) as of_kept (position)
            where position > {{ after }} and position <= {{ until }}
        )
    end
{%- endmacro %}
