"""Customers of each day, from an upgrade on."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The first build makes the table of a new warehouse, from the model's contract.
STATEMENTS = (
    """
    do $$
    begin
        if to_regclass('marts.customer_orders') is null then
            return;
        end if;

        create table marts.customers_daily as
        select order_date, count(distinct customer_id) as customers, coalesce(region, '') as region
        from marts.customer_orders
        group by grouping sets ((order_date), (order_date, region))
        order by order_date, region;

        alter table marts.customers_daily add primary key (order_date, region);
    end
    $$
    """,
)


def upgrade() -> None:
    """Make and fill the table where a build was published."""
    for statement in STATEMENTS:
        op.execute(statement)
