{#-
    Fails when a model's columns are not those of its contract. It takes two queries a model, so it is done in
    full builds: the first one after a change of the project is full, and a delta runs the same SQL.
-#}
{% macro compared_with_contract(sql) %}
    {%- if flags.FULL_REFRESH -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
{% endmacro %}
