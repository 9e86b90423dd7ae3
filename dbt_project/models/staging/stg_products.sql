with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

products as (
    select * from {{ source('raw', 'products') }}
),

versions_of_this_build as (
    -- A key is a hash of the version's text, so any batch's row of it says the same.
    select distinct on (products.product_key)
        products.product_key,
        products.product_id,
        products.product_name,
        products.category
    from products
    inner join batches on products.batch_id = batches.batch_id
    order by products.product_key
)

select * from versions_of_this_build
