{#- Every value is in the dimension, as it will be once this candidate is published. -#}
{% test known_key(model, column, dimension, published_name, dimension_column=None) %}
    {%- set key = dimension_column or column %}
    select {{ column }}
    from {{ model }}
    where {{ column }} is not null

    except

    select {{ key }}
    from {{ dimension }}

    except

    select {{ key }}
    from {{ published('core', published_name) }} as published
{% endtest %}
