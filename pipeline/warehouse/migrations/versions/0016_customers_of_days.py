"""Customers of each day, from an upgrade on."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The first build makes the table of a new warehouse, from the model's contract.
STATEMENTS = (
    """
    do $$
    begin
        if to_regclass('marts.customer_orders_by_region') is null then
            return;
        end if;

        create table marts.customers_daily as
        select order_date, count(distinct customer_id) as customers, region
        from (
            select order_date, customer_id, '' as region from marts.customer_orders
            union all
            select order_date, customer_id, region from marts.customer_orders_by_region
        ) as orders
        group by order_date, region
        order by order_date, region;

        alter table marts.customers_daily add primary key (order_date, region);

        analyze marts.customers_daily;
    end
    $$
    """,
)


def upgrade() -> None:
    """Make and fill the table where a build was published."""
    for statement in STATEMENTS:
        op.execute(statement)
