{{ config(materialized='candidate_view') }}

{%- set values = [
    'product_id', 'occurrence', 'product_key', 'customer_id', 'customer_key', 'store_id', 'own_region',
    'payment_method', 'sale_date', 'quantity', 'unit_price', 'discount', 'discount_amount', 'shipping',
    'order_shipping', 'own_unit_cost', 'gross_revenue', 'discounts', 'returns', 'net_revenue', 'tax', 'extra',
] %}

{%- set nothing = [] %}
{%- for value in values %}{% do nothing.append('null as ' ~ value) %}{% endfor %}

with

-- A deletion is a version of its line, too: one without values.
versions as (
    select
        source, order_id, line_key, {{ values | join(', ') }},
        batch_id, row_number, overwrites_before, overwrites_begun,
        false as is_deletion
    from {{ ref('int_priced_lines') }}

    union all

    select
        source, order_id, line_key,
        {{ nothing | join(', ') }},
        batch_id, 0 as row_number, overwrites_before, overwrites_begun,
        true as is_deletion
    from {{ ref('stg_deleted_lines') }}
),

overwrites as (
    select
        source,
        count(*) as overwrite_count
    from {{ ref('stg_overwrites') }}
    group by source
),

-- The overwrites, by their place among those of the source, that only lack a line as its row was quarantined.
kept as (
    select
        source,
        order_id,
        line_key,
        array_agg(overwrites_begun) as positions
    from {{ ref('stg_quarantined_keys') }}
    group by source, order_id, line_key
),

-- Newest first; the next row of a key is the version before it.
compared as (
    select
        versions.*,
        first_value(versions.overwrites_begun) over newest_first as newest_overwrites_begun,
        lead(true, 1, false) over newest_first as has_older,
        lead({{ line_values('versions') }}) over newest_first as older_values,
        lead(versions.overwrites_begun, 1, 0::bigint) over newest_first as older_overwrites_begun
    from versions
    window newest_first as (
        partition by versions.source, versions.order_id, versions.line_key
        order by versions.batch_id desc, versions.row_number desc
    )
),

told as (
    select
        compared.*,
        kept.positions,
        overwrites_before - older_overwrites_begun
        > {{ kept_by('older_overwrites_begun', 'overwrites_before') }} as was_dropped
    from compared
    left join kept using (source, order_id, line_key)
),

-- A delivery that repeats a line unchanged leaves its provenance as it was; unless something was
-- between the two: then it is new, also where it equals what is published.
newest as (
    select distinct on (told.source, told.order_id, told.line_key)
        told.*,
        told.has_older or told.was_dropped as is_interrupted
    from told
    where
        {{ line_values('told') }} is distinct from told.older_values
        or told.was_dropped
    order by
        told.source asc, told.order_id asc, told.line_key asc, told.batch_id desc, told.row_number desc
)

select
    newest.source, newest.order_id, newest.line_key,
    {{ columns_of('newest', values) }},
    newest.batch_id, newest.row_number, newest.is_interrupted
from newest
left join overwrites using (source)
where
    not newest.is_deletion
    and coalesce(overwrites.overwrite_count, 0) - newest.newest_overwrites_begun
    = {{ kept_by('newest_overwrites_begun', 'overwrites.overwrite_count') }}
