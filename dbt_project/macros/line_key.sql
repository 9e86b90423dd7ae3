{#-
    What tells a line from the others of its order: the source's line id; without one its product, and
    how often that came up in the order before. One ends in a mark, the other in a number, so that
    neither can equal the other.
-#}
{% macro line_key(relation) -%}
    coalesce(
        '#' || {{ relation }}.line_id || '#', {{ relation }}.product_id || ' #' || {{ relation }}.occurrence
    )
{%- endmacro %}
