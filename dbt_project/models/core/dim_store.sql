-- What this build brings; the others stay as they are published.
select distinct on (store_id)
    store_id,
    city,
    region,
    address,
    extra,
    batch_id,
    row_number
from {{ ref('stg_stores') }}
order by store_id asc, batch_id desc, row_number desc
