{#- The additive measures that every rollup keeps. -#}
{% macro additive_measures() %}
    {{ return([
        'line_count', 'sale_line_count', 'gross_revenue', 'discounts', 'returns', 'net_revenue',
        'shipping', 'tax', 'cost', 'costed_net_revenue', 'costed_line_count', 'units', 'units_returned',
    ]) }}
{% endmacro %}

{#- An amount with the sign of its side; numeric takes a change of sign at a third less than a product. -#}
{% macro signed(amount, sign='sign') -%}
    case when {{ sign }} = 1 then {{ amount }} else -{{ amount }} end
{%- endmacro %}

{#- Their sums over signed lines (columns of int_line_changes). -#}
{% macro signed_sums() -%}
    sum(sign)::bigint as line_count,
    coalesce(sum(sign) filter (where quantity > 0), 0)::bigint as sale_line_count,
    sum({{ signed('gross_revenue') }}) as gross_revenue,
    sum({{ signed('discounts') }}) as discounts,
    sum({{ signed('returns') }}) as returns,
    sum({{ signed('net_revenue') }}) as net_revenue,
    sum({{ signed('shipping') }}) as shipping,
    sum({{ signed('tax') }}) as tax,
    coalesce(sum({{ signed('cost') }}), 0) as cost,
    coalesce(sum({{ signed('net_revenue') }}) filter (where cost is not null), 0) as costed_net_revenue,
    coalesce(sum(sign) filter (where cost is not null), 0)::bigint as costed_line_count,
    coalesce(sum(sign * quantity) filter (where quantity > 0), 0)::bigint as units,
    coalesce(sum(-sign * quantity) filter (where quantity < 0), 0)::bigint as units_returned
{%- endmacro %}

{#- One touched key's new row: what is published plus the signed change. -#}
{% macro rolled_forward() -%}
    {%- for measure in additive_measures() %}
    (coalesce(published.{{ measure }}, 0) + signed.{{ measure }})::{{
        'bigint' if measure in ['line_count', 'sale_line_count', 'costed_line_count', 'units', 'units_returned']
        else 'numeric(38, 12)'
    }} as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Orders and return documents, counted over signed orders (columns of int_order_changes). -#}
{% macro signed_orders() -%}
    coalesce(sum(sign) filter (where is_sale), 0) as orders,
    coalesce(sum(sign) filter (where not is_sale), 0) as return_orders
{%- endmacro %}

{% macro orders_rolled_forward() -%}
    (coalesce(published.orders, 0) + signed.orders)::bigint as orders,
    (coalesce(published.return_orders, 0) + signed.return_orders)::bigint as return_orders
{%- endmacro %}

{#- The mean of the middle two, in numeric: percentile_cont would make money a float. -#}
{% macro exact_median(value) -%}
    0.5 * (
        percentile_disc(0.5) within group (order by {{ value }})
        + percentile_disc(0.5) within group (order by {{ value }} desc)
    )
{%- endmacro %}
