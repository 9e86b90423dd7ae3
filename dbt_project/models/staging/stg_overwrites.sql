with

batches as (
    select * from {{ source('build', 'build_batches') }}
)

select
    source,
    call_id,
    min(batch_id) as first_batch_id
from batches
where mode = 'overwrite'
group by source, call_id
