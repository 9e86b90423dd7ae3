with

published as not materialized (
    select * from {{ published('core', 'fct_order_lines') }}
    where refund_id is null
),

products as not materialized (
    select * from {{ published('core', 'dim_product') }}
),

costs as (
    select * from {{ ref('int_unit_costs') }}
),

-- By the product's versions, for which the lines have an index.
recosted_products as (
    select
        delivered.product_id,
        products.product_key,
        max(delivered.batch_id) as change_batch_id
    from {{ ref('dim_unit_cost') }} as delivered
    inner join products using (product_id)
    group by delivered.product_id, products.product_key
),

recosted as (
    select
        published.source,
        published.order_id,
        published.line_key,
        true as is_recosted,
        costs.cost as unit_cost,
        null::text as region,
        recosted_products.change_batch_id
    from recosted_products
    inner join published using (product_key)
    left join costs
        on
            recosted_products.product_id = costs.product_id
            and published.sale_date >= costs.valid_from
            and (costs.valid_until is null or published.sale_date < costs.valid_until)
    where
        published.own_unit_cost is null
        and published.unit_cost is distinct from costs.cost
),

relocated as (
    select
        published.source,
        published.order_id,
        published.line_key,
        false as is_recosted,
        null::numeric as unit_cost,
        coalesce(stores.region, published.own_region) as region,
        stores.batch_id as change_batch_id
    from {{ ref('dim_store') }} as stores
    inner join published using (store_id)
    where
        published.own_region = 'Unspecified'
        and published.region <> coalesce(stores.region, published.own_region)
),

recategorized as (
    select
        published.source,
        published.order_id,
        published.line_key,
        false as is_recosted,
        null::numeric as unit_cost,
        null::text as region,
        records.batch_id as change_batch_id
    from {{ ref('dim_product_record') }} as records
    inner join {{ ref('int_product_versions') }} as versions using (product_id)
    inner join published using (product_key)
    where versions.category <> versions.published_category
),

differences as (
    select * from recosted
    union all
    select * from relocated
    union all
    select * from recategorized
)

select
    source,
    order_id,
    line_key,
    bool_or(is_recosted) as is_recosted,
    max(unit_cost) as unit_cost,
    max(region) as region,
    max(change_batch_id) as change_batch_id
from differences
group by source, order_id, line_key
