-- What this build brings; the others stay as they are published.
select distinct on (customer_id)
    customer_id,
    customer_name,
    customer_email,
    customer_address,
    extra,
    batch_id,
    row_number
from {{ ref('stg_customer_records') }}
order by customer_id asc, batch_id desc, row_number desc
