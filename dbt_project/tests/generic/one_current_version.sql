{#- A product has exactly one current version. -#}
{% test one_current_version(model) %}
    select
        product_id,
        count(*) filter (where is_current) as current_versions
    from {{ model }}
    group by product_id
    having count(*) filter (where is_current) <> 1
{% endtest %}
