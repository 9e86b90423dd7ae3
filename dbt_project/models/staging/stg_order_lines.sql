with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

lines as (
    select * from {{ source('raw', 'order_lines') }}
),

lines_of_this_build as (
    select
        -- key
        batches.source,
        lines.order_id,
        lines.product_id,
        lines.occurrence,
        {{ line_key('lines') }} as line_key,

        -- dimensions
        lines.product_key,
        lines.customer_id,
        lines.customer_key,
        lines.store_id,
        lines.region,
        lines.payment_method,
        lines.sale_date,

        -- amounts
        lines.quantity,
        lines.unit_price,
        lines.discount,
        lines.discount_amount,
        lines.shipping,
        lines.order_shipping,
        lines.tax,
        lines.tax_rate,
        lines.prices_include_tax,
        lines.unit_cost,

        -- what else the file says
        lines.extra,

        -- provenance
        lines.batch_id,
        lines.row_number,
        batches.overwrites_before,
        batches.overwrites_begun
    from lines
    inner join batches on lines.batch_id = batches.batch_id
)

select * from lines_of_this_build
