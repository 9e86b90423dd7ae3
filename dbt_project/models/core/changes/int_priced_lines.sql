{{ config(materialized='candidate_view') }}

with

lines as (
    select * from {{ ref('stg_order_lines') }}
),

-- As the file has it, without signs.
stated as (
    select
        *,
        abs(quantity) * unit_price as stated_gross,
        coalesce(discount_amount, abs(quantity) * unit_price * discount) as stated_discount
    from lines
),

paid as (
    select
        *,
        stated_gross - stated_discount as stated_paid
    from stated
),

-- Gross and net without tax. Of prices that include it, gross is rounded to six decimals. With a
-- rate, so is the discount, and the tax is what is left of what was paid; with an amount of tax,
-- net is what was paid less it, and the discount is what is left of gross.
untaxed as (
    select
        *,
        case
            when not prices_include_tax or (tax is not null and stated_paid = 0) then stated_gross
            when tax is not null then round(stated_gross * (stated_paid - abs(tax)) / stated_paid, 6)
            else round(stated_gross / (1 + tax_rate), 6)
        end as gross,
        case
            when not prices_include_tax then stated_paid
            when tax is not null then stated_paid - abs(tax)
            else round(stated_gross / (1 + tax_rate), 6) - round(stated_discount / (1 + tax_rate), 6)
        end as net
    from paid
),

taxed as (
    select
        *,
        case
            when tax is not null then abs(tax)
            when prices_include_tax then stated_paid - net
            else coalesce(round(stated_paid * tax_rate, 6), 0)
        end as tax_amount
    from untaxed
)

select
    source,
    order_id,
    product_id,
    occurrence,
    line_key,
    product_key,
    customer_id,
    customer_key,
    store_id,
    region as own_region,
    payment_method,
    sale_date,
    quantity,
    unit_price,
    discount,
    discount_amount,
    shipping,
    order_shipping,
    unit_cost as own_unit_cost,
    case when quantity > 0 then gross else 0 end::numeric(38, 12) as gross_revenue,
    case when quantity > 0 then gross - net else 0 end::numeric(38, 12) as discounts,
    case when quantity < 0 then net else 0 end::numeric(38, 12) as returns,
    (sign(quantity::numeric) * net)::numeric(38, 12) as net_revenue,
    (sign(quantity::numeric) * tax_amount)::numeric(38, 12) as tax,
    extra,
    batch_id,
    row_number,
    overwrites_before,
    overwrites_begun
from taxed
