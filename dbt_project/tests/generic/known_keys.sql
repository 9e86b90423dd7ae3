{#- Every value is in its dimension, as that will be once this candidate is published. -#}
{% test known_keys(model, dimensions) %}
    {%- for known in dimensions %}
    (
        select
            '{{ known.column }}' as unknown,
            {{ known.column }}::text as value
        from {{ model }}
        where {{ known.column }} is not null

        except

        select
            '{{ known.column }}' as unknown,
            {{ known.key }}::text as value
        from {{ ref(known.dimension) }}

        except

        select
            '{{ known.column }}' as unknown,
            {{ known.key }}::text as value
        from {{ published('core', known.dimension) }} as published
    )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{% endtest %}
