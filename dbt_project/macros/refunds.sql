{#-
    A refund of units takes those of the product's lines in turn, after the ones that earlier refunds took.
    Of a line's units, counted from 0, those before this refund's; with the refund's quantity added, those
    before the next one's. A refund of an amount takes none.
-#}
{% macro units_before(line, taken) -%}
    least(greatest({{ taken }} - {{ line }}.units_before, 0), {{ line }}.quantity)
{%- endmacro %}

{% macro refunded_units(line, taken, quantity) -%}
    {{ units_before(line, taken ~ ' + coalesce(' ~ quantity ~ ', 0)') }}
    - {{ units_before(line, taken) }}
{%- endmacro %}

{#-
    What was paid for them. All units of a line together are what was paid for it, to the last digit, however
    they are parted.
-#}
{% macro value_of_units(line, taken, quantity) -%}
    round(
        {{ line }}.paid * ({{ units_before(line, taken ~ ' + coalesce(' ~ quantity ~ ', 0)') }}) / {{ line }}.quantity,
        12
    )
    - round({{ line }}.paid * ({{ units_before(line, taken) }}) / {{ line }}.quantity, 12)
{%- endmacro %}

{#-
    The part of an amount of its line that a refund gives back: what is given back after it, less what was
    before. So the parts of a line that is given back whole are the whole, to the last digit.
-#}
{% macro given_part(amount) -%}
    coalesce(
        round({{ amount }} * (given_before + given) / nullif(paid, 0), 12)
        - round({{ amount }} * given_before / nullif(paid, 0), 12),
        0
    )
{%- endmacro %}
