{#- Statistics of a table that other models read. Those of amounts serve no plan. -#}
{% macro analyze_what_is_looked_for() -%}
    {%- if model.config.materialized == 'candidate_table' -%}
    {%- set looked_for = [] -%}
    {%- for column in model.columns.values() if not column.data_type.startswith('numeric') -%}
    {%- do looked_for.append(column.name) -%}
    {%- endfor -%}
    analyze {{ this }} ({{ looked_for | join(', ') }})
    {%- endif -%}
{%- endmacro %}

{#- An index for the changes of a delta; a full build, where everything is a change, looks up none. -#}
{% macro index_of_changes(columns) -%}
    do $$
    begin
        if not (select is_full from {{ source('build', 'build') }}) then
            create index on {{ this }} ({{ columns | join(', ') }});
        end if;
    end
    $$
{%- endmacro %}
