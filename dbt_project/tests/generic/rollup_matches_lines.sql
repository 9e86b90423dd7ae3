{#-
    Candidate rows - the published rows that they replace = the sum of the signed lines, for
    every measure, exactly: key by key in a delta; in sum over all keys in a full build, where
    nothing is replaced, every line is a change, and a second grouping would cost as much as
    the rollup itself.
-#}
{% test rollup_matches_lines(model, key, published_name) %}
    {%- set row_key %}case when is_full then '' else row({{ key | join(', ') }})::text end{% endset %}
    with

    signed as (
        select
            {{ row_key }} as row_key,
            {{ signed_sums() }}
        from {{ ref('int_line_changes') }}
        cross join {{ source('build', 'build') }}
        group by row_key
    ),

    touched as (
        select distinct {{ key | join(', ') }}
        from {{ ref('int_line_changes') }}
    ),

    sides as (
        select
            {{ row_key }} as row_key,
            1 as side,
            {{ additive_measures() | join(', ') }}
        from {{ model }}
        cross join {{ source('build', 'build') }}

        union all

        select
            row({{ key | join(', ') }})::text as row_key,
            -1 as side,
            {{ additive_measures() | join(', ') }}
        from {{ published('marts', published_name) }} as published
        inner join touched using ({{ key | join(', ') }})
    ),

    rolled as (
        select
            row_key,
            {%- for measure in additive_measures() %}
            sum({{ signed(measure, 'side') }}) as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from sides
        group by row_key
    ),

    compared as (
        {%- for measure in additive_measures() %}
        select
            row_key,
            '{{ measure }}' as measure,
            coalesce(rolled.{{ measure }}, 0)::numeric as in_rollup,
            coalesce(signed.{{ measure }}, 0)::numeric as in_lines
        from rolled
        full join signed using (row_key)
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select *
    from compared
    where in_rollup <> in_lines
{% endtest %}
