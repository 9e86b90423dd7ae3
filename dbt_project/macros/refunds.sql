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
    What they were of an amount of their line. All units of a line together are the whole of it, to the last
    digit, however they are parted.
-#}
{% macro value_of_units(line, amount, taken, quantity) -%}
    round(
        {{ line }}.{{ amount }} * ({{ units_before(line, taken ~ ' + coalesce(' ~ quantity ~ ', 0)') }})
        / {{ line }}.quantity,
        12
    )
    - round({{ line }}.{{ amount }} * ({{ units_before(line, taken) }}) / {{ line }}.quantity, 12)
{%- endmacro %}
