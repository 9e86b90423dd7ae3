{{ config(post_hook="create index on {{ this }} (source, order_id, position)") }}

{%- set units_taken = "coalesce((walked.product_units ->> refunds.product_id)::bigint, 0)" -%}
{%- set given = "coalesce((walked.given ->> lines.line_key)::numeric, 0)" -%}

with recursive

-- Refund by refund, with what the order's earlier ones have given back of each line.
walked as (
    select
        source,
        order_id,
        0 as position,
        0::numeric as order_given,
        '{}'::jsonb as given,
        '{}'::jsonb as product_units,
        null::text as status,
        null::numeric as amount,
        null::bigint as units_before,
        null::jsonb as given_before,
        null::jsonb as shares
    from {{ ref('int_refund_orders') }}

    union all

    select
        walked.source,
        walked.order_id,
        refunds.position,
        walked.order_given + case when asked.status = 'applied' then asked.amount else 0 end as order_given,
        walked.given || case when asked.status = 'applied' then asked.given_after else '{}' end as given,
        walked.product_units || jsonb_build_object(
            coalesce(refunds.product_id, ''),
            {{ units_taken }} + case when asked.status = 'applied' then coalesce(refunds.quantity, 0) else 0 end
        ) as product_units,
        asked.status,
        case when asked.status = 'applied' then asked.amount end as amount,
        {{ units_taken }} as units_before,
        walked.given as given_before,
        asked.shares
    from walked
    inner join {{ ref('int_refunds') }} as refunds
        on (walked.source, walked.order_id, walked.position + 1) = (refunds.source, refunds.order_id, refunds.position)
    cross join {{ source('build', 'build') }} as build
    cross join lateral ( -- noqa: ST05
        with concerned as (
            select
                lines.line_key,
                lines.occurrence,
                {{ given }} as given,
                refunds.amount as told_amount,
                refunds.quantity as told_units,
                power(10::numeric, build.minor_digits) as minor_units,
                lines.order_paid - walked.order_given as order_left,
                greatest(lines.paid - lines.returned - {{ given }}, 0) as line_left,
                {{ refunded_units('lines', units_taken, 'refunds.quantity') }} as units,
                {{ value_of_units('lines', units_taken, 'refunds.quantity') }} as units_amount
            from {{ ref('int_refundable_lines') }} as lines
            where
                (walked.source, walked.order_id) = (lines.source, lines.order_id)
                and (refunds.product_id is null or refunds.product_id = lines.product_id)
        ),

        asked_lines as (
            select
                *,
                coalesce(told_amount, sum(units_amount) over ()) as amount,
                sum(line_left) over () as all_left,
                told_amount is null and bool_and(units_amount <= line_left) over () as units_fit,
                row_number() over (order by line_left desc, occurrence asc, line_key collate "C" asc) as size_rank
            from concerned
        ),

        parts as (
            select
                *,
                coalesce(div(amount * minor_units * line_left, nullif(all_left, 0)) / minor_units, 0) as part
            from asked_lines
        ),

        -- Units come back at what was paid for them, where so much of their lines is left. Else, and for an amount,
        -- each line gives in proportion to what is left of it, and the largest what that leaves over.
        shared as (
            select
                *,
                case
                    when units_fit then units_amount
                    when amount = all_left then line_left
                    when size_rank = 1 then part + amount - sum(part) over ()
                    else part
                end as share
            from parts
        )

        select
            max(amount) as amount,
            case
                when count(*) = 0 then 'pending'
                when max(amount) > least(max(order_left), max(all_left)) then 'refused'
                when sum(units) < max(told_units) then 'refused'
                else 'applied'
            end as status,
            jsonb_object_agg(line_key, share) as shares,
            jsonb_object_agg(line_key, given + share) as given_after
        from shared
    ) as asked
)

select
    source,
    order_id,
    position,
    status,
    amount::numeric(38, 12) as amount,
    units_before,
    given_before,
    shares
from walked
where position > 0
