{#- The columns of a line. -#}
{% macro line_columns() %}
    {{ return([
        'source', 'order_id', 'product_id', 'occurrence', 'line_key', 'refund_id', 'product_key', 'customer_id',
        'customer_key', 'store_id', 'own_region', 'region', 'payment_method', 'sale_date', 'quantity',
        'unit_price', 'discount', 'shipping', 'own_unit_cost', 'unit_cost', 'gross_revenue', 'discounts',
        'returns', 'net_revenue', 'cost', 'batch_id', 'row_number',
    ]) }}
{% endmacro %}

{#- Those that say what a delivery says of a line; the rest follows from them and from other feeds. -#}
{% macro own_values() %}
    {{ return([
        'product_key', 'customer_id', 'customer_key', 'store_id', 'own_region', 'payment_method', 'sale_date',
        'quantity', 'unit_price', 'discount', 'shipping', 'own_unit_cost', 'returns',
    ]) }}
{% endmacro %}

{#- Whether two relations differ in one of these columns. -#}
{% macro differs(left, right, columns) -%}
    (
        {%- for column in columns %}{{ left }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    ) is distinct from (
        {%- for column in columns %}{{ right }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{#- Columns of one relation. -#}
{% macro columns_of(relation, columns) -%}
    {%- for column in columns %}{{ relation }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
