"""One table has the orders of each customer in sequence, over all regions and within each."""

from alembic import op

revision = "0017"
down_revision = "0016"
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

        create table marts.customer_orders_in_regions as
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
        inner join marts.customer_orders as over_regions
            using (customer_id, order_date, source, order_id)
        order by order_date;

        alter table marts.customer_orders_in_regions
            add primary key (customer_id, order_date, source, order_id, region),
            alter column is_first_region set not null;
        create index on marts.customer_orders_in_regions (order_date);
        create index on marts.customer_orders_in_regions (region, order_date);

        analyze marts.customer_orders_in_regions;
    end
    $$
    """,
    # Readers wait from here on.
    """
    do $$
    begin
        if to_regclass('marts.customer_orders_in_regions') is null then
            return;
        end if;

        drop table marts.customer_orders_by_region, marts.customer_orders;
        alter table marts.customer_orders_in_regions rename to customer_orders;
        alter index marts.customer_orders_in_regions_pkey rename to customer_orders_pkey;
        alter index marts.customer_orders_in_regions_order_date_idx
        rename to customer_orders_order_date_idx;
        alter index marts.customer_orders_in_regions_region_order_date_idx
        rename to customer_orders_region_order_date_idx;
    end
    $$
    """,
)


def upgrade() -> None:
    """Make it of the two tables of a warehouse that has them."""
    for statement in STATEMENTS:
        op.execute(statement)
