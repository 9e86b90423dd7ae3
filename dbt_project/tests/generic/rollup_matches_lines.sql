{#-
    Candidate rows - the published rows that they replace = the sum of the signed lines, for
    every measure, exactly. In a full build nothing is replaced and every line is a change:
    then it says that the rollup equals its detail.
-#}
{% test rollup_matches_lines(model, key, published_name) %}
    with

    signed as (
        select {{ signed_sums() }}
        from {{ ref('int_line_changes') }}
    ),

    touched as (
        select distinct {{ key | join(', ') }}
        from {{ ref('int_line_changes') }}
    ),

    candidate as (
        select
            {%- for measure in additive_measures() %}
            coalesce(sum({{ measure }}), 0) as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ model }}
    ),

    replaced as (
        select
            {%- for measure in additive_measures() %}
            coalesce(sum(published.{{ measure }}), 0) as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ published('marts', published_name) }} as published
        inner join touched using ({{ key | join(', ') }})
    ),

    compared as (
        {%- for measure in additive_measures() %}
        select
            '{{ measure }}' as measure,
            candidate.{{ measure }}::numeric as candidate,
            replaced.{{ measure }}::numeric as replaced,
            coalesce(signed.{{ measure }}, 0)::numeric as signed
        from candidate
        cross join replaced
        cross join signed
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select *
    from compared
    where candidate - replaced <> signed
{% endtest %}
