{#- What the counts of purchases are kept by; a row has the value of one of them, and the others are empty. -#}
{% macro purchase_groups() -%}
    {{ return(['product_id', 'category', 'payment_method']) }}
{%- endmacro %}

{% macro only_group(group) -%}
    {%- for column in purchase_groups() %}
        {{ column if column == group else "'' as " ~ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
