"""What deliveries of the feeds besides order lines would change in closed months.

Each query compares what the records say with the batches at hand to what they say without them (of a replay:
without the rows that it took out of the quarantine), so it is the same for a landing, a void, a restore and a
replay. It yields closed months and what would change in them. The lines of a closed month are the published
ones: nothing waited when it was closed, and nothing that changes it lands.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import LiteralString

from psycopg import Connection, sql
from psycopg.rows import TupleRow

# The rows that this very transaction took out of the quarantine.
REPLAYED: LiteralString = "select batch_id, row_number from raw.replayed_rows where at = now()"

# Two versions of the records: with the batches at hand, and without.
_SIDES: LiteralString = """
sides as (
    select batch_id, is_with
    from raw.batches
    cross join (values (true), (false)) as versions (is_with)
    where case when batch_id = any(%(batch_ids)s) then is_with or %(is_replay)s else status = 'landed' end
)
"""

# A refund's lines have the cost and the region of the lines that it is of.
_MONTHS_OF_LINES: LiteralString = """
select closed.month, format('order %%s line %%s', changed.order_id, changed.line_key) as changed
from changed
inner join core.fct_order_lines as counted
    on counted.source = changed.source and counted.order_id = changed.order_id
        and counted.line_key in (
            changed.line_key, 'refund ' || counted.refund_id || ' (' || changed.line_key || ')'
        )
inner join raw.closed_months as closed on closed.month = date_trunc('month', counted.sale_date)::date
"""

# A record without a day, and a product's own cost, are valid from the first day that a sale can have.
_COSTS: LiteralString = """
with

{sides},

records as (
    select batch_id, row_number, product_id, coalesce(valid_from, '1900-01-01') as valid_from, cost
    from raw.unit_costs
    union all
    select batch_id, row_number, product_id, '1900-01-01', unit_cost
    from raw.product_records
    where unit_cost is not null
),

delivered as (
    select distinct product_id from records where batch_id = any(%(batch_ids)s)
),

stated as (
    select distinct on (is_with, product_id, valid_from) is_with, product_id, valid_from, cost
    from delivered
    inner join records using (product_id)
    inner join sides using (batch_id)
    where is_with or (batch_id, row_number) not in ({replayed})
    order by is_with, product_id, valid_from, batch_id desc, row_number desc
),

valid as (
    select
        is_with, product_id, cost,
        daterange(
            valid_from, lead(valid_from) over (partition by is_with, product_id order by valid_from)
        ) as days
    from stated
),

changed as (
    select lines.source, lines.order_id, lines.line_key
    from delivered
    inner join core.dim_product as products using (product_id)
    inner join core.fct_order_lines as lines using (product_key)
    left join valid as now
        on now.is_with and now.product_id = delivered.product_id and now.days @> lines.sale_date
    left join valid as before
        on not before.is_with and before.product_id = delivered.product_id
            and before.days @> lines.sale_date
    where lines.refund_id is null and lines.own_unit_cost is null and now.cost is distinct from before.cost
)

{months_of_lines}
"""

_REGIONS: LiteralString = """
with

{sides},

stated as (
    select distinct on (is_with, store_id) is_with, store_id, region
    from raw.stores
    inner join sides using (batch_id)
    where is_with or (batch_id, row_number) not in ({replayed})
    order by is_with, store_id, batch_id desc, row_number desc
),

moved as (
    select store_id
    from stated
    group by store_id
    having
        coalesce(max(region) filter (where is_with), 'Unspecified')
        <> coalesce(max(region) filter (where not is_with), 'Unspecified')
),

changed as (
    select lines.source, lines.order_id, lines.line_key
    from moved
    inner join core.fct_order_lines as lines using (store_id)
    where lines.refund_id is null and lines.own_region = 'Unspecified'
)

{months_of_lines}
"""

# Between an upgrade and the first build, a product's category is its own.
_CATEGORIES: LiteralString = """
with

{sides},

stated as (
    select distinct on (is_with, product_id) is_with, product_id, category
    from raw.product_records
    inner join sides using (batch_id)
    where is_with or (batch_id, row_number) not in ({replayed})
    order by is_with, product_id, batch_id desc, row_number desc
),

recategorized as (
    select product_id
    from stated
    group by product_id
    having
        coalesce(max(category) filter (where is_with), 'Unspecified')
        <> coalesce(max(category) filter (where not is_with), 'Unspecified')
),

changed as (
    select lines.source, lines.order_id, lines.line_key
    from recategorized
    inner join core.dim_product as products using (product_id)
    inner join core.fct_order_lines as lines using (product_key)
    where lines.refund_id is null and coalesce(products.own_category, products.category) = 'Unspecified'
)

{months_of_lines}
"""

# What a refund may give back depends on the earlier ones of its order.
_REFUNDS: LiteralString = """
with

{sides},

records as (
    select
        is_with, coalesce(refunds.source, batches.source) as source, refund_id, order_id, refund_date,
        row(order_id, product_id, amount, quantity, refund_date) as told, batch_id, row_number
    from raw.refunds
    inner join raw.batches using (batch_id)
    inner join sides using (batch_id)
    where is_with or (batch_id, row_number) not in ({replayed})
),

stated as (
    select distinct on (is_with, source, refund_id) *
    from records
    order by is_with, source, refund_id, batch_id desc, row_number desc
),

changed as (
    select source, refund_id
    from stated
    group by source, refund_id
    having count(*) = 1 or count(distinct told) = 2
)

select closed.month, format('refund %%s of order %%s', changed.refund_id, stated.order_id) as changed
from changed
inner join stated using (source, refund_id)
inner join stated as later
    on later.is_with = stated.is_with and later.source = stated.source
        and later.order_id = stated.order_id and later.refund_date >= stated.refund_date
inner join raw.closed_months as closed on closed.month = date_trunc('month', later.refund_date)::date
"""

_CHANGES: Mapping[str, tuple[LiteralString, ...]] = MappingProxyType(
    {
        "unit_costs": (_COSTS,),
        "products": (_COSTS, _CATEGORIES),
        "stores": (_REGIONS,),
        "refunds": (_REFUNDS,),
    }
)

# The refunds (order_id, refund_date) of the orders of ``%(source)s``.
REFUNDS_OF_SOURCE: LiteralString = """
select distinct on (refund_id) order_id, refund_date
from raw.refunds
inner join raw.batches using (batch_id)
where batches.status = 'landed' and coalesce(refunds.source, batches.source) = %(source)s
order by refund_id, batch_id desc, row_number desc
"""


def changes_of_records(connection: Connection[TupleRow], feed: str) -> sql.Composable | None:
    """The query (month, changed) that tells what batches, ``%(batch_ids)s``, of a feed would change.

    None if the feed changes no numbers, or nothing is published yet: then no line is there to change.
    """
    row = connection.execute("select to_regclass('core.fct_order_lines') is not null").fetchone()
    queries = _CHANGES.get(feed, ())
    if not queries or row is None or not row[0]:
        return None
    parts = {
        "sides": sql.SQL(_SIDES),
        "months_of_lines": sql.SQL(_MONTHS_OF_LINES),
        "replayed": sql.SQL(REPLAYED),
    }
    return sql.SQL(" union all ").join(sql.SQL("({})").format(sql.SQL(q).format(**parts)) for q in queries)
