with

delivered as (
    select * from {{ ref('stg_products') }}
),

published as (
    select * from {{ published('core', 'dim_product') }}
),

known as (
    select
        product_key,
        product_id,
        product_name,
        category
    from delivered

    union

    select
        product_key,
        product_id,
        product_name,
        category
    from published
)

select * from known
