{#- A view of the candidate, likewise. -#}
{% materialization candidate_view, adapter='postgres' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- call statement('main') -%}
        {{ compared_with_contract(sql) }}
        drop view if exists {{ relation }} cascade;
        create view {{ relation }} as
        {{ sql }}
    {%- endcall -%}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
