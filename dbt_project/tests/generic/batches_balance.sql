{#- Every row of a landed batch is in exactly one place: accepted or quarantined. -#}
{% test batches_balance(model) %}
    with

    batches as (
        select batches.*
        from {{ source('raw', 'batches') }} as batches
        inner join {{ source('build', 'build_batches') }} as taken using (batch_id)
    ),

    accepted as (
        {%- for table in ['order_lines', 'unit_costs', 'refunds', 'stores', 'product_records', 'customer_records'] %}
        select
            {{ table }}.batch_id,
            count(*) as row_count
        from {{ source('raw', table) }} as {{ table }}
        inner join batches using (batch_id)
        group by {{ table }}.batch_id
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ),

    quarantined as (
        select
            quarantine.batch_id,
            count(*) as row_count
        from {{ source('raw', 'quarantine') }} as quarantine
        inner join batches using (batch_id)
        group by quarantine.batch_id
    )

    select
        batches.batch_id,
        batches.rows_read,
        batches.rows_accepted,
        batches.rows_unchanged,
        coalesce(accepted.row_count, 0) as rows_in_raw,
        batches.rows_quarantined,
        coalesce(quarantined.row_count, 0) as rows_in_quarantine
    from batches
    left join accepted using (batch_id)
    left join quarantined using (batch_id)
    where
        batches.rows_read <> batches.rows_accepted + batches.rows_quarantined
        or batches.rows_accepted - batches.rows_unchanged <> coalesce(accepted.row_count, 0)
        or batches.rows_quarantined <> coalesce(quarantined.row_count, 0)
{% endtest %}
