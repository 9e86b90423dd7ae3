{{ config(materialized='candidate_view') }}

select
    {{ line_columns() | join(', ') }},
    shipping,
    is_interrupted,
    batch_id as change_batch_id
from {{ ref('int_incoming_lines') }}

union all

select
    {{ line_columns() | join(', ') }},
    shipping,
    false as is_interrupted,
    change_batch_id
from {{ ref('int_restated_lines') }}

union all

select
    {{ line_columns() | join(', ') }},
    shipping,
    -- A refund's line comes from where its refund does.
    true as is_interrupted,
    change_batch_id
from {{ ref('int_refund_lines') }}
