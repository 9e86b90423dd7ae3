"""The statements that make the published tables, as far as the API reads them."""

MEASURES = """
    line_count bigint not null, sale_line_count bigint not null, gross_revenue numeric(38, 12) not null,
    discounts numeric(38, 12) not null, returns numeric(38, 12) not null,
    net_revenue numeric(38, 12) not null, shipping numeric(38, 12) not null,
    tax numeric(38, 12) not null, cost numeric(38, 12) not null,
    costed_net_revenue numeric(38, 12) not null, costed_line_count bigint not null, units bigint not null,
    units_returned bigint not null
"""
TABLES = (
    """
    create table core.dim_product (
        product_key bigint primary key, product_id text not null, product_name text,
        own_category text not null, category text not null, is_current boolean not null,
        current_name text not null
    )
    """,
    """
    create table core.dim_customer (
        customer_id text primary key, customer_name text, customer_email text, customer_address text
    )
    """,
    """
    create table core.fct_orders (
        source text, order_id text, order_date date not null, is_sale boolean not null, customer_id text,
        has_several_customers boolean not null, primary key (source, order_id)
    )
    """,
    "create index fct_orders_by_date on core.fct_orders (order_date)",
    """
    create table core.fct_order_lines (
        source text, order_id text, product_id text, occurrence integer, line_key text,
        product_key bigint not null, customer_id text, region text not null,
        payment_method text not null, sale_date date not null, quantity integer not null,
        unit_price numeric(18, 6) not null, discount numeric(7, 6) not null,
        shipping numeric(18, 6) not null, unit_cost numeric(18, 6),
        gross_revenue numeric(38, 12) not null, discounts numeric(38, 12) not null,
        returns numeric(38, 12) not null, net_revenue numeric(38, 12) not null, tax numeric(38, 12) not null,
        cost numeric(38, 12), extra jsonb, batch_id bigint, row_number integer,
        primary key (source, order_id, line_key)
    )
    """,
    "create index fct_order_lines_by_date on core.fct_order_lines (sale_date)",
    f"""
    create table marts.revenue_daily (
        sale_date date, source text, region text, category text, payment_method text, {MEASURES},
        primary key (sale_date, source, region, category, payment_method)
    )
    """,
    f"""
    create table marts.product_revenue_monthly (
        month_start date, product_id text, category text, region text, {MEASURES},
        primary key (month_start, product_id, category, region)
    )
    """,
    """
    create table marts.customer_orders (
        customer_id text, region text, source text, order_id text, order_date date,
        is_first_region boolean not null, previous_order_date date, second_previous_order_date date,
        previous_order_date_in_region date, second_previous_order_date_in_region date,
        primary key (customer_id, order_date, source, order_id, region)
    )
    """,
    "create index customer_orders_by_date on marts.customer_orders (order_date)",
    "create index customer_orders_by_region_and_date on marts.customer_orders (region, order_date)",
    f"""
    create table marts.revenue_by_product_monthly (
        month_start date, product_id text, {MEASURES}, primary key (month_start, product_id)
    )
    """,
    f"""
    create table marts.revenue_by_region_monthly (
        month_start date, source text, region text, {MEASURES}, primary key (month_start, source, region)
    )
    """,
    f"""
    create table marts.revenue_monthly (
        month_start date, source text, region text, category text, payment_method text, {MEASURES},
        primary key (month_start, source, region, category, payment_method)
    )
    """,
    """
    create table marts.customer_returns_monthly (
        region text, step integer, order_month date, earlier_month date, orders bigint not null,
        primary key (region, step, order_month, earlier_month)
    )
    """,
    """
    create table marts.customers_daily (
        order_date date, region text, customers bigint not null, primary key (order_date, region)
    )
    """,
    """
    create table marts.purchases_monthly (
        product_id text, category text, payment_method text, order_month date, earlier_month date,
        orders integer not null, return_orders integer not null, customers integer not null,
        primary key (product_id, category, payment_method, order_month, earlier_month)
    )
    """,
    """
    create table marts.orders_daily (
        order_date date, source text, orders bigint not null, return_orders bigint not null,
        primary key (order_date, source)
    )
    """,
    """
    create table marts.orders_by_region_daily (
        order_date date, source text, region text, orders bigint not null, return_orders bigint not null,
        primary key (order_date, source, region)
    )
    """,
    """
    create table marts.revenue_anomalies (
        sale_date date primary key, weekday integer not null, line_count bigint not null,
        net_revenue numeric(38, 12) not null, expected numeric(38, 12), spread numeric(38, 12),
        score numeric(20, 6), is_anomaly boolean not null
    )
    """,
)
