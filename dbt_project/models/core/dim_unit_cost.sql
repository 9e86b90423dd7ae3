-- What this build brings; the others stay as they are published.
select distinct on (product_id, valid_from)
    product_id,
    valid_from,
    cost,
    batch_id,
    row_number
from {{ ref('stg_unit_costs') }}
order by product_id asc, valid_from asc, batch_id desc, row_number desc
