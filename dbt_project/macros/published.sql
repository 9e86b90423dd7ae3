{#-
    What readers see now, or nothing when the build is a full one: then every live line is a
    change, and the same models make the whole. It is a source, for a ref would be a cycle.
-#}
{% macro published(schema_name, table_name) -%}
    (
        select *
        from {{ source('published_' ~ schema_name, table_name) }}
        where not (select is_full from {{ source('build', 'build') }})
    )
{%- endmacro %}
