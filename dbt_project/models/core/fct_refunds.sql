select
    refunds.source,
    refunds.refund_id,
    refunds.order_id,
    refunds.product_id,
    refunds.amount,
    refunds.quantity,
    refunds.refund_date,
    refunds.reason,
    walk.status,
    case when walk.status = 'refused' then 'refund_exceeds_paid' end as refused_because,
    walk.amount as refunded_amount,
    refunds.batch_id,
    refunds.row_number
from {{ ref('int_refund_walk') }} as walk
inner join {{ ref('int_refunds') }} as refunds using (source, order_id, position)
