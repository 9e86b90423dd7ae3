"""The statements that score customers and put them into segments."""

from psycopg import sql

_CUSTOMERS = sql.SQL("""
with orders as (
    select customer_id, max(order_date) as last_order_date, count(*) as frequency
    from marts.customer_orders
    where is_first_region and order_date between %(start)s and %(end)s
    group by customer_id
),

revenue as (
    select customer_id, sum(net_revenue) as net_revenue
    from core.fct_order_lines
    where customer_id is not null and sale_date between %(start)s and %(end)s
    group by customer_id
),

customers as (
    select
        customer_id,
        last_order_date,
        %(as_of)s::date - last_order_date as recency,
        frequency,
        coalesce(revenue.net_revenue, 0) as monetary
    from orders
    left join revenue using (customer_id)
)
""")

# The value at rank ⌈n·f⌉, by exact arithmetic (percentile_disc multiplies floats).
CUT_POINTS = _CUSTOMERS + sql.SQL("""
, sorted as (
    select
        count(*) as customers,
        array_agg(recency order by recency) as recency,
        array_agg(frequency order by frequency) as frequency,
        array_agg(monetary order by monetary) as monetary
    from customers
),

ranks as (
    select sorted.*, array(
        select ceil(sorted.customers * fraction)::int
        from unnest(%(fractions)s::numeric[]) as fractions (fraction)
        order by fraction
    ) as at
    from sorted
)

select
    array[recency[at[1]], recency[at[2]], recency[at[3]], recency[at[4]]],
    array[frequency[at[1]], frequency[at[2]], frequency[at[3]], frequency[at[4]]],
    array[monetary[at[1]], monetary[at[2]], monetary[at[3]], monetary[at[4]]]
from ranks
where customers > 0
""")

_NAMED = _CUSTOMERS + sql.SQL("""
, scored as (
    select
        *,
        5 - (select count(*) from unnest(%(recency_cuts)s::numeric[]) as cut where recency > cut)
            as recency_score,
        1 + (select count(*) from unnest(%(frequency_cuts)s::numeric[]) as cut where frequency > cut)
            as frequency_score,
        1 + (select count(*) from unnest(%(monetary_cuts)s::numeric[]) as cut where monetary > cut)
            as monetary_score
    from customers
),

named as (
    select
        *,
        (%(grid)s::text[])[(recency_score - 1) * 5 + (frequency_score + monetary_score + 1) / 2] as segment
    from scored
)
""")

BY_SEGMENT = _NAMED + sql.SQL("""
select segment, count(*), sum(recency), sum(frequency), sum(monetary)
from named
group by segment
""")

MEMBERS = _NAMED + sql.SQL("""
select
    customer_id, customer_name, last_order_date, recency, frequency, monetary, recency_score, frequency_score,
    monetary_score, segment
from named
left join core.dim_customer using (customer_id)
where cardinality(%(segments)s::text[]) = 0 or segment = any(%(segments)s::text[])
order by monetary desc, customer_id collate "C"
limit %(limit)s offset %(offset)s
""")
