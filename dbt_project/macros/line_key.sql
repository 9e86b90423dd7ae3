{#-
    What tells a line from the others of its order: its product, and how often that came up in the
    order before. Ends in a number, so no other kind of key can equal it.
-#}
{% macro line_key(relation) -%}
    {{ relation }}.product_id || ' #' || {{ relation }}.occurrence
{%- endmacro %}
