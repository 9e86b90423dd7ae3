with

batches as (
    select * from {{ source('build', 'build_batches') }}
),

refunds as (
    select * from {{ source('raw', 'refunds') }}
)

select
    coalesce(refunds.source, batches.source) as source,
    refunds.refund_id,
    refunds.order_id,
    refunds.product_id,
    refunds.amount,
    refunds.quantity,
    refunds.refund_date,
    refunds.reason,
    refunds.batch_id,
    refunds.row_number
from refunds
inner join batches on refunds.batch_id = batches.batch_id
