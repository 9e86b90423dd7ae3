"""Answers of whole months, from the moment of an upgrade: their rollups are made of the days' ones."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SUMS = """
    sum(line_count)::bigint as line_count,
    sum(sale_line_count)::bigint as sale_line_count,
    sum(gross_revenue)::numeric(38, 12) as gross_revenue,
    sum(discounts)::numeric(38, 12) as discounts,
    sum(returns)::numeric(38, 12) as returns,
    sum(net_revenue)::numeric(38, 12) as net_revenue,
    sum(shipping)::numeric(38, 12) as shipping,
    sum(tax)::numeric(38, 12) as tax,
    sum(cost)::numeric(38, 12) as cost,
    sum(costed_net_revenue)::numeric(38, 12) as costed_net_revenue,
    sum(costed_line_count)::bigint as costed_line_count,
    sum(units)::bigint as units,
    sum(units_returned)::bigint as units_returned
"""
_MONTH = "date_trunc('month', sale_date::timestamp)::date"

# The first build makes the tables of a new warehouse, from the models' contracts.
STATEMENTS = (
    f"""
    do $$
    begin
        -- Rollups of before tax are left to the next build, which is a full one.
        if
            to_regclass('marts.customer_orders_by_region') is null
            or not exists (
                select from pg_attribute
                where attrelid = to_regclass('marts.revenue_daily') and attname = 'tax'
            )
        then
            return;
        end if;

        create table marts.revenue_monthly as
        select {_MONTH} as month_start, source, region, category, payment_method, {_SUMS}
        from marts.revenue_daily
        group by 1, 2, 3, 4, 5;
        alter table marts.revenue_monthly
            add primary key (month_start, source, region, category, payment_method);

        create table marts.revenue_by_region_monthly as
        select {_MONTH} as month_start, source, region, {_SUMS}
        from marts.revenue_daily
        group by 1, 2, 3;
        alter table marts.revenue_by_region_monthly add primary key (month_start, source, region);

        create table marts.customer_returns_monthly as
        select
            region,
            step,
            date_trunc('month', orders.order_date::timestamp)::date as order_month,
            coalesce(date_trunc('month', earlier_date::timestamp), date '0001-01-01')::date as earlier_month,
            count(*) as orders
        from (
            select '' as region, order_date, previous_order_date, second_previous_order_date
            from marts.customer_orders
            union all
            select region, order_date, previous_order_date, second_previous_order_date
            from marts.customer_orders_by_region
        ) as orders
        cross join
            lateral (values (1, previous_order_date), (2, second_previous_order_date))
                as steps (step, earlier_date)
        group by 1, 2, 3, 4;
        alter table marts.customer_returns_monthly
            add primary key (region, step, order_month, earlier_month);
    end
    $$
    """,  # noqa: S608 (texts of this file alone)
)


def upgrade() -> None:
    """Make and fill the tables where a build was published."""
    for statement in STATEMENTS:
        op.execute(statement)
