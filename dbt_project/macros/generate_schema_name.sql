{#- Every model of a build is made in the one schema that the build throws away. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}
{%- endmacro %}
