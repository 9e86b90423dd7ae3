with

delivered as (
    select * from {{ ref('stg_products') }}
),

published as (
    select * from {{ published('core', 'dim_product') }}
),

known as (
    select
        delivered.product_key,
        delivered.product_id,
        delivered.product_name,
        delivered.category as own_category,
        null::text as published_category
    from delivered
    left join published using (product_key)
    where published.product_key is null

    union all

    select
        product_key,
        product_id,
        product_name,
        own_category,
        category as published_category
    from published
)

-- What was sold without a category has the one that the feed of products gives it.
select
    known.product_key,
    known.product_id,
    known.product_name,
    known.own_category,
    case
        when known.own_category = 'Unspecified' then coalesce(records.category, known.own_category)
        else known.own_category
    end as category,
    known.published_category
from known
left join {{ ref('int_product_records') }} as records using (product_id)
