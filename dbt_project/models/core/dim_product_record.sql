-- What this build brings; the others stay as they are published.
select distinct on (product_id)
    product_id,
    product_name,
    category,
    list_price,
    unit_cost,
    description,
    extra,
    batch_id,
    row_number
from {{ ref('stg_product_records') }}
order by product_id asc, batch_id desc, row_number desc
