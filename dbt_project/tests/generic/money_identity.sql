{#- Net revenue is gross revenue less discounts less returns, to the last digit. -#}
{% test money_identity(model) %}
    select *
    from {{ model }}
    where net_revenue <> gross_revenue - discounts - returns
{% endtest %}
