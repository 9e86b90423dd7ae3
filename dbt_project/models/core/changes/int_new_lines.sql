{{ config(materialized='view') }}

select
    {{ line_columns() | join(', ') }},
    shipping,
    batch_id as change_batch_id
from {{ ref('int_incoming_lines') }}

union all

select
    {{ line_columns() | join(', ') }},
    shipping,
    change_batch_id
from {{ ref('int_restated_lines') }}

union all

select
    {{ line_columns() | join(', ') }},
    shipping,
    change_batch_id
from {{ ref('int_refund_lines') }}
