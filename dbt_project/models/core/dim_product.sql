{#- Arrays compare element by element: the latest sale date, then batch, then row. -#}
{%- set sold = "array[sale_date - date '1900-01-01', batch_id, row_number]" -%}

with

changes as not materialized (
    select * from {{ ref('int_line_changes') }}
),

published_lines as not materialized (
    select *, {{ sold }} as sold
    from {{ published('core', 'fct_order_lines') }}
),

published_versions as (
    select
        *,
        case
            when last_sale_date is not null
                then array[last_sale_date - date '1900-01-01', last_batch_id, last_row_number]
        end as last_sold
    from {{ published('core', 'dim_product') }} as published
),

signed as (
    select
        product_key,
        sum(sign)::bigint as line_count,
        max({{ sold }}) filter (where sign = 1 and refund_id is null) as last_sold,
        max({{ sold }}) filter (where sign = -1 and refund_id is null) as last_removed
    from changes
    group by product_key
),

touched_versions as (
    select
        versions.product_key,
        versions.product_id,
        versions.product_name,
        versions.own_category,
        versions.category,
        (coalesce(published_versions.line_count, 0) + signed.line_count)::bigint as line_count,
        case
            when signed.last_removed >= published_versions.last_sold
                then greatest(signed.last_sold, untouched.last_sold)
            else greatest(signed.last_sold, published_versions.last_sold)
        end as last_sold
    from signed
    inner join {{ ref('int_product_versions') }} as versions using (product_key)
    left join published_versions using (product_key)
    -- Only where the line that was the latest is gone, and none as late came, are its other lines looked at.
    left join lateral (
        select max(published_lines.sold) as last_sold
        from published_lines
        left join changes using (source, order_id, line_key)
        where
            signed.last_removed >= published_versions.last_sold
            and (signed.last_sold >= signed.last_removed) is not true
            and published_lines.product_key = signed.product_key
            and published_lines.refund_id is null
            and changes.source is null
    ) as untouched on true
),

-- A product's other versions: which one is current, and what it is called, may have changed for them too.
sibling_versions as (
    select
        published.product_key,
        published.product_id,
        published.product_name,
        published.own_category,
        published.category,
        published.line_count,
        published.last_sold
    from published_versions as published
    where
        published.product_id in (
            select product_id from touched_versions
            union
            select product_id from {{ ref('dim_product_record') }}
        )
        and published.product_key not in (select product_key from signed)
),

live_versions as (
    select * from touched_versions
    where line_count > 0

    union all

    select * from sibling_versions
),

-- A blank name never becomes the current one while another version has a name.
ranked as (
    select
        *,
        row_number() over newest_first = 1 as is_current,
        first_value(product_name) over newest_first as newest_name
    from live_versions
    window newest_first as (
        partition by product_id
        order by (product_name is not null) desc, last_sold desc, product_key asc
    )
)

select
    ranked.product_key,
    ranked.product_id,
    ranked.product_name,
    ranked.own_category,
    ranked.category,
    ranked.is_current,
    coalesce(ranked.newest_name, records.product_name, ranked.product_id) as current_name,
    ranked.line_count,
    (date '1900-01-01' + ranked.last_sold[1]::integer) as last_sale_date,
    ranked.last_sold[2]::bigint as last_batch_id,
    ranked.last_sold[3]::integer as last_row_number
from ranked
left join {{ ref('int_product_records') }} as records using (product_id)
