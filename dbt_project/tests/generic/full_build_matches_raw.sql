{#-
    A full build's lines against raw, by another road than the model takes: the greatest batch
    of each key, kept unless a later overwrite of its source lacks the key. Says nothing in a
    delta, whose change the other tests reconcile.
-#}
{% test full_build_matches_raw(model) %}
    {%- set listed = 'abs(lines.quantity) * lines.unit_price' %}
    {%- set paid = '(' ~ listed ~ ' * (1 - lines.discount) - coalesce(lines.discount_amount, 0))' %}
    with

    batches as (
        select *
        from {{ source('build', 'build_batches') }}
        where (select is_full from {{ source('build', 'build') }})
    ),

    overwrites as (
        select
            source,
            call_id,
            min(batch_id) as first_batch_id
        from batches
        where mode = 'overwrite'
        group by source, call_id
    ),

    versions as (
        select
            batches.source,
            lines.order_id,
            {{ line_key('lines') }} as line_key,
            lines.batch_id,
            case when lines.quantity < 0 then -1 else 1 end * (
                case
                    when not lines.prices_include_tax
                        then {{ paid }}
                    when lines.tax is not null
                        then {{ paid }} - abs(lines.tax)
                    else
                        round({{ listed }} / (1 + lines.tax_rate), 6)
                        - round(({{ listed }} - {{ paid }}) / (1 + lines.tax_rate), 6)
                end
            ) as net_revenue,
            coalesce(lines.order_shipping, lines.shipping) as shipping,
            max(lines.batch_id) over (
                partition by batches.source, lines.order_id, {{ line_key('lines') }}
            ) as newest_batch_id
        from {{ source('raw', 'order_lines') }} as lines
        inner join batches using (batch_id)
    ),

    newest as (
        select * from versions
        where batch_id = newest_batch_id
    ),

    dropped as (
        select distinct
            newest.source,
            newest.order_id,
            newest.line_key
        from newest
        inner join overwrites
            on
                newest.source = overwrites.source
                and newest.batch_id < overwrites.first_batch_id
        where not exists (
            select 1
            from {{ source('raw', 'quarantine') }} as quarantine
            inner join batches as carrier using (batch_id)
            where
                carrier.call_id = overwrites.call_id
                and quarantine.order_id = newest.order_id
                and {{ line_key('quarantine') }} = newest.line_key
                and quarantine.reasons <> array['duplicate_row']
        )
    ),

    deleted as (
        select distinct
            newest.source,
            newest.order_id,
            newest.line_key
        from newest
        inner join {{ source('raw', 'deleted_lines') }} as deleted_lines
            using (order_id, line_key)
        inner join batches
            on
                deleted_lines.batch_id = batches.batch_id
                and newest.source = batches.source
                and newest.batch_id < batches.batch_id
    ),

    from_raw as (
        select
            count(*) as line_count,
            coalesce(sum(newest.net_revenue), 0) as net_revenue,
            coalesce(sum(newest.shipping), 0) as shipping
        from newest
        left join dropped using (source, order_id, line_key)
        left join deleted using (source, order_id, line_key)
        where dropped.source is null and deleted.source is null
    ),

    from_model as (
        select
            count(*) as line_count,
            coalesce(sum(net_revenue), 0) as net_revenue,
            coalesce(sum(coalesce(order_shipping, shipping)), 0) as shipping
        from {{ model }}
        where (select is_full from {{ source('build', 'build') }})
    )

    select
        from_raw.line_count as raw_lines,
        from_model.line_count as model_lines,
        from_raw.net_revenue as raw_net_revenue,
        from_model.net_revenue as model_net_revenue
    from from_raw
    cross join from_model
    where
        from_raw.line_count <> from_model.line_count
        or from_raw.net_revenue <> from_model.net_revenue
        or from_raw.shipping <> from_model.shipping
{% endtest %}
