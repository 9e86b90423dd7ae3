{#-
    A table of the candidate, with the types, the not-null columns, the checks and the primary key of its
    contract; what is to be published has the primary key that it is published by. The candidate's schema is made
    anew by each build: there is nothing to keep and to rename, as dbt's own `table` does (to drop only where dbt is
    run again by hand). And what its own makes with a contract is an insert, whose query Postgres runs on one core.
-#}
{% materialization candidate_table, adapter='postgres' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set columns = model.columns.values() | list -%}
    {%- set key = config.get('meta', {}).get('publish', {}).get('key') -%}
    {%- set required = ['add primary key (' ~ key | join(', ') ~ ')'] if key else [] -%}
    {%- for column in columns if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
        {%- do required.append('alter column ' ~ column.name ~ ' set not null') -%}
    {%- endfor -%}
    {%- for constraint in model.constraints -%}
        {%- if constraint.type == 'check' -%}
        {%- do required.append('add constraint ' ~ constraint.name ~ ' check (' ~ constraint.expression ~ ')') -%}
        {%- elif constraint.type == 'primary_key' -%}
        {%- do required.append('add primary key (' ~ constraint.columns | join(', ') ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {{ compared_with_contract(sql) }}
        drop table if exists {{ relation }} cascade;
        create unlogged table {{ relation }} as
        select
            {%- for column in columns %}
            {{ column.name }}::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            {{ sql }}
        ) as made;
        {%- if required %}
        alter table {{ relation }} {{ required | join(', ') }}
        {%- endif %}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
