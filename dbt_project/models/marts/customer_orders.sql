-- From a customer's first touched day on, its orders are put in sequence anew; of earlier ones only the last two
-- are looked at (over all regions, and in each): an id of everyone at the till must not cost its whole history.
with

changes as (
    select distinct
        sign,
        customer_id,
        region,
        source,
        order_id,
        order_date
    from {{ ref('int_order_changes') }}
    where is_sale and customer_id is not null
),

published as not materialized (
    select * from {{ published('marts', 'customer_orders') }}
),

touched as (
    select
        customer_id,
        min(order_date) as first_day
    from changes
    group by customer_id
),

later as (
    select
        customer_id,
        region,
        source,
        order_id,
        published.order_date
    from touched
    inner join published using (customer_id)
    left join changes using (customer_id, region, source, order_id)
    where published.order_date >= touched.first_day and changes.sign is null

    union all

    select
        customer_id,
        region,
        source,
        order_id,
        order_date
    from changes
    where sign = 1
),

touched_regions as (
    select distinct
        customer_id,
        later.region,
        touched.first_day
    from later
    inner join touched using (customer_id)
),

earlier as (
    select last_two.*
    from touched
    cross join lateral {{ last_two_orders('touched', 'published.is_first_region') }} as last_two

    union distinct

    select last_two.*
    from touched_regions
    cross join
        lateral {{ last_two_orders('touched_regions', 'published.region = touched_regions.region') }} as last_two
),

orders as (
    select
        false as is_earlier,
        later.*
    from later

    union all

    select
        true as is_earlier,
        earlier.*
    from earlier
),

-- The rows of an order are peers in its customer's sequence: the group before them is the order before.
in_sequence as (
    select
        *,
        region collate "C" = min(region collate "C") over (in_order groups current row) as is_first_region,
        first_value(order_date) over (in_order groups between 1 preceding and 1 preceding)
            as previous_order_date,
        first_value(order_date) over (in_order groups between 2 preceding and 2 preceding)
            as second_previous_order_date,
        lag(order_date, 1) over in_region as previous_order_date_in_region,
        lag(order_date, 2) over in_region as second_previous_order_date_in_region
    from orders
    window
        in_order as (partition by customer_id order by order_date, source, order_id),
        in_region as (partition by customer_id, region order by order_date, source, order_id)
)

select
    customer_id,
    region,
    source,
    order_id,
    order_date,
    is_first_region,
    previous_order_date,
    second_previous_order_date,
    previous_order_date_in_region,
    second_previous_order_date_in_region
from in_sequence
where not is_earlier
-- Orders of a range lie side by side then.
order by order_date
