"""Whole months by product, and orders and customers of whole months by group, from an upgrade on."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_GROUPS = ("product_id", "category", "payment_method")


def _counted(group: str) -> str:
    """The counts by one of the groups; the columns of the others are empty."""
    columns = ", ".join(name if name == group else f"'' as {name}" for name in _GROUPS)
    return f"""
        select
            {columns}, order_month, date '0001-01-01' as earlier_month,
            count(*) filter (where is_sale) as orders,
            count(*) filter (where not is_sale) as return_orders,
            0 as customers
        from (select distinct {group}, order_month, source, order_id, is_sale from lines) as documents
        group by {group}, order_month
        union all
        select {columns}, order_month, earlier_month, 0, 0, count(*)
        from (
            select
                {group},
                order_month,
                lag(order_month, 1, date '0001-01-01')
                    over (partition by customer_id, {group} order by order_month) as earlier_month
            from lines
            where is_sale and customer_id is not null
        ) as in_sequence
        where earlier_month < order_month
        group by {group}, order_month, earlier_month
    """  # noqa: S608 (texts of this file alone)


# This one and the next three lock what readers read as late as they can: all are one transaction.
# The first build makes the tables of a new warehouse, from the models' contracts.
STATEMENTS = (
    f"""
    do $$
    begin
        -- Rollups of before tax are left to the next build, which is a full one. `current_build` knows by
        -- these tables that it is still to come.
        if not exists (
            select from pg_attribute
            where attrelid = to_regclass('marts.product_revenue_monthly') and attname = 'tax'
        ) then
            return;
        end if;

        create table marts.purchases_monthly as
        with lines as materialized (
            select
                orders.source,
                orders.order_id,
                orders.is_sale,
                lines.customer_id,
                date_trunc('month', orders.order_date::timestamp)::date as order_month,
                lines.product_id,
                product.category,
                lines.payment_method
            from core.fct_orders as orders
            inner join core.fct_order_lines as lines
                on lines.source = orders.source and lines.order_id = orders.order_id
                and (lines.quantity > 0) = orders.is_sale
            inner join core.dim_product as product using (product_key)
        ),

        counted as ({" union all ".join(map(_counted, _GROUPS))})

        select
            order_month,
            earlier_month,
            sum(orders)::integer as orders,
            sum(return_orders)::integer as return_orders,
            sum(customers)::integer as customers,
            product_id,
            category,
            payment_method
        from counted
        group by product_id, category, payment_method, order_month, earlier_month
        order by product_id, category, payment_method, order_month, earlier_month;

        alter table marts.purchases_monthly
            add primary key (product_id, category, payment_method, order_month, earlier_month);

        create table marts.revenue_by_product_monthly as
        select
            month_start,
            sum(line_count)::bigint as line_count,
            sum(sale_line_count)::bigint as sale_line_count,
            sum(costed_line_count)::bigint as costed_line_count,
            sum(units)::bigint as units,
            sum(units_returned)::bigint as units_returned,
            product_id,
            sum(gross_revenue)::numeric(38, 12) as gross_revenue,
            sum(discounts)::numeric(38, 12) as discounts,
            sum(returns)::numeric(38, 12) as returns,
            sum(net_revenue)::numeric(38, 12) as net_revenue,
            sum(shipping)::numeric(38, 12) as shipping,
            sum(tax)::numeric(38, 12) as tax,
            sum(cost)::numeric(38, 12) as cost,
            sum(costed_net_revenue)::numeric(38, 12) as costed_net_revenue
        from marts.product_revenue_monthly
        group by month_start, product_id
        order by month_start, product_id;

        alter table marts.revenue_by_product_monthly add primary key (month_start, product_id);

        analyze marts.purchases_monthly, marts.revenue_by_product_monthly;
    end
    $$
    """,  # noqa: S608 (texts of this file alone)
)


def upgrade() -> None:
    """Make and fill the tables where a build was published."""
    for statement in STATEMENTS:
        op.execute(statement)
