{%- set units_taken = "coalesce((walked.product_units ->> refunds.product_id)::bigint, 0)" -%}
{%- set product_refunded = "coalesce((walked.product_refunded ->> refunds.product_id)::numeric, 0)" -%}
{%- set units = refunded_units('lines', units_taken, 'refunds.quantity') -%}
{%- set value_told = value_of_units('lines', 'paid', units_taken, 'refunds.quantity') -%}
{%- set value = "coalesce(refunds.amount, sum(" ~ value_told ~ "))" -%}

with recursive

-- Refund by refund, with what the order's earlier ones have given back.
walked as (
    select
        source,
        order_id,
        0 as position,
        0::numeric as order_refunded,
        '{}'::jsonb as product_refunded,
        '{}'::jsonb as product_units,
        null::text as status,
        null::numeric as refunded_amount,
        null::bigint as units_before
    from {{ ref('int_refund_orders') }}

    union all

    select
        walked.source,
        walked.order_id,
        refunds.position,
        walked.order_refunded + case when asked.status = 'applied' then asked.amount else 0 end as order_refunded,
        walked.product_refunded || jsonb_build_object(
            coalesce(refunds.product_id, ''),
            {{ product_refunded }} + case when asked.status = 'applied' then asked.amount else 0 end
        ) as product_refunded,
        walked.product_units || jsonb_build_object(
            coalesce(refunds.product_id, ''),
            {{ units_taken }} + case when asked.status = 'applied' then coalesce(refunds.quantity, 0) else 0 end
        ) as product_units,
        asked.status,
        case when asked.status = 'applied' then asked.amount end as refunded_amount,
        {{ units_taken }} as units_before
    from walked
    inner join {{ ref('int_refunds') }} as refunds
        on
            walked.source = refunds.source
            and walked.order_id = refunds.order_id
            and walked.position + 1 = refunds.position
    cross join lateral (
        select
            {{ value }} as amount,
            case
                when count(*) = 0 then 'pending'
                when {{ value }} > max(lines.order_paid) - walked.order_refunded then 'refused'
                when
                    refunds.product_id is not null
                    and {{ value }} > max(lines.product_paid) - {{ product_refunded }}
                    then 'refused'
                when sum({{ units }}) < refunds.quantity then 'refused'
                else 'applied'
            end as status
        from {{ ref('int_refundable_lines') }} as lines
        where
            walked.source = lines.source
            and walked.order_id = lines.order_id
            and (refunds.product_id is null or refunds.product_id = lines.product_id)
    ) as asked
)

select
    refunds.source,
    refunds.refund_id,
    refunds.order_id,
    refunds.product_id,
    refunds.amount,
    refunds.quantity,
    refunds.refund_date,
    refunds.reason,
    walked.status,
    case when walked.status = 'refused' then 'refund_exceeds_paid' end as refused_because,
    walked.refunded_amount::numeric(38, 12) as refunded_amount,
    walked.units_before,
    refunds.batch_id,
    refunds.row_number
from walked
inner join {{ ref('int_refunds') }} as refunds using (source, order_id, position)
