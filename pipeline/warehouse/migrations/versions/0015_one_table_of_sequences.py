"""One table has the orders of each customer in sequence, over all regions and within each."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The first build makes the tables of a new warehouse, from the models' contracts.
STATEMENTS = (
    """
    do $$
    begin
        if to_regclass('marts.customer_orders_by_region') is null then
            return;
        end if;

        alter table marts.customer_orders rename to customer_orders_over_regions;
        create table marts.customer_orders as
        select
            over_regions.order_date,
            over_regions.previous_order_date,
            over_regions.second_previous_order_date,
            in_region.previous_order_date as previous_order_date_in_region,
            in_region.second_previous_order_date as second_previous_order_date_in_region,
            in_region.region collate "C" = min(in_region.region collate "C") over (
                partition by customer_id, order_date, source, order_id
            ) as is_first_region,
            customer_id,
            in_region.region,
            source,
            order_id
        from marts.customer_orders_by_region as in_region
        inner join marts.customer_orders_over_regions as over_regions
            using (customer_id, order_date, source, order_id)
        order by order_date;
        drop table marts.customer_orders_by_region, marts.customer_orders_over_regions;

        alter table marts.customer_orders
            add primary key (customer_id, order_date, source, order_id, region),
            alter column is_first_region set not null;
        create index on marts.customer_orders (order_date);
        create index on marts.customer_orders (region, order_date);
    end
    $$
    """,
)


def upgrade() -> None:
    """Make it of the two tables of a warehouse that has them."""
    for statement in STATEMENTS:
        op.execute(statement)
