-- What a careful person would write for one load of one clean file: no checks, no quarantine, no
-- versions, no provenance, nothing that a second load could build on. The same dimensions, facts and
-- rollups, with keys and indexes made after the rows. All in one transaction with the COPY: what it makes
-- needs no write-ahead log then.

create table dim_product (
    product_key integer generated always as identity, product_id text, product_name text, category text
);
insert into dim_product (product_id, product_name, category)
select distinct product_id, product_name, category from loaded;
analyze dim_product;

create table dim_customer as
select distinct on (customer_id) customer_id, customer_name, customer_email, customer_address
from loaded
where customer_id is not null
order by customer_id, sale_date desc;

create table dim_region as select distinct region from loaded;

create table dim_date as
select day::date as date
from (select min(sale_date) as first_day, max(sale_date) as last_day from loaded) as bounds
cross join generate_series(first_day, last_day, interval '1 day') as day;

create table fct_order_lines as
select
    loaded.order_id, loaded.product_id, dim_product.product_key, loaded.customer_id, loaded.region,
    loaded.payment_method, loaded.sale_date, loaded.quantity, loaded.unit_price, loaded.discount, loaded.shipping,
    loaded.unit_cost, dim_product.category,
    case when quantity > 0 then quantity * unit_price else 0 end::numeric(38, 12) as gross_revenue,
    case when quantity > 0 then quantity * unit_price * discount else 0 end::numeric(38, 12) as discounts,
    case when quantity < 0 then -quantity * unit_price * (1 - discount) else 0 end::numeric(38, 12) as returns,
    (quantity * unit_price * (1 - discount))::numeric(38, 12) as net_revenue,
    (quantity * unit_cost)::numeric(38, 12) as cost
from loaded
inner join dim_product using (product_id, product_name, category);

alter table dim_product add primary key (product_key);
alter table dim_customer add primary key (customer_id);
alter table dim_region add primary key (region);
alter table dim_date add primary key (date);
alter table fct_order_lines add primary key (order_id, product_id);
create index on fct_order_lines (sale_date);
create index on fct_order_lines (customer_id);
create index on fct_order_lines (product_key);
create index on fct_order_lines (product_id);
alter table fct_order_lines
    add foreign key (product_key) references dim_product,
    add foreign key (customer_id) references dim_customer,
    add foreign key (region) references dim_region,
    add foreign key (sale_date) references dim_date;

create table fct_orders as
select
    order_id, min(sale_date) as order_date, min(customer_id) as customer_id, bool_or(quantity > 0) as is_sale,
    count(*) as line_count, sum(net_revenue) as net_revenue
from fct_order_lines
group by order_id;
alter table fct_orders add primary key (order_id);
create index on fct_orders (order_date);
create index on fct_orders (customer_id);

create table revenue_daily as
select
    sale_date, region, category, payment_method, count(*) as line_count,
    count(*) filter (where quantity > 0) as sale_line_count, sum(gross_revenue) as gross_revenue,
    sum(discounts) as discounts, sum(returns) as returns, sum(net_revenue) as net_revenue,
    sum(shipping) as shipping, sum(cost) as cost,
    sum(net_revenue) filter (where cost is not null) as costed_net_revenue,
    sum(quantity) filter (where quantity > 0) as units, -sum(quantity) filter (where quantity < 0) as units_returned
from fct_order_lines
group by sale_date, region, category, payment_method;
alter table revenue_daily add primary key (sale_date, region, category, payment_method);

create table revenue_monthly as
select
    date_trunc('month', sale_date)::date as month_start, region, category, payment_method, sum(line_count) as line_count, sum(sale_line_count) as sale_line_count,
    sum(gross_revenue) as gross_revenue, sum(discounts) as discounts, sum(returns) as returns,
    sum(net_revenue) as net_revenue, sum(shipping) as shipping, sum(cost) as cost,
    sum(costed_net_revenue) as costed_net_revenue, sum(units) as units, sum(units_returned) as units_returned
from revenue_daily
group by date_trunc('month', sale_date), region, category, payment_method;
alter table revenue_monthly add primary key (month_start, region, category, payment_method);

create table revenue_by_region_monthly as
select
    month_start, region, sum(line_count) as line_count, sum(sale_line_count) as sale_line_count,
    sum(gross_revenue) as gross_revenue, sum(discounts) as discounts, sum(returns) as returns,
    sum(net_revenue) as net_revenue, sum(shipping) as shipping, sum(cost) as cost,
    sum(costed_net_revenue) as costed_net_revenue, sum(units) as units, sum(units_returned) as units_returned
from revenue_monthly
group by month_start, region;
alter table revenue_by_region_monthly add primary key (month_start, region);

create table product_revenue_monthly as
select
    date_trunc('month', sale_date)::date as month_start, product_id, category, region, count(*) as line_count,
    count(*) filter (where quantity > 0) as sale_line_count, sum(gross_revenue) as gross_revenue,
    sum(discounts) as discounts, sum(returns) as returns, sum(net_revenue) as net_revenue,
    sum(shipping) as shipping, sum(cost) as cost,
    sum(net_revenue) filter (where cost is not null) as costed_net_revenue,
    sum(quantity) filter (where quantity > 0) as units, -sum(quantity) filter (where quantity < 0) as units_returned
from fct_order_lines
group by date_trunc('month', sale_date), product_id, category, region;
alter table product_revenue_monthly add primary key (month_start, product_id, category, region);
create index on product_revenue_monthly (product_id);

create table customer_orders as
select
    orders.customer_id, orders.region, orders.order_id, orders.order_date, orders.is_first_region,
    in_sequence.previous_order_date, in_sequence.second_previous_order_date,
    lag(orders.order_date, 1) over in_region as previous_order_date_in_region,
    lag(orders.order_date, 2) over in_region as second_previous_order_date_in_region
from (
    select
        fct_order_lines.customer_id, region, order_id, fct_orders.order_date,
        region = min(region) over (partition by fct_order_lines.customer_id, order_id) as is_first_region
    from fct_order_lines
    inner join fct_orders using (order_id)
    where quantity > 0 and fct_order_lines.customer_id is not null
    group by fct_order_lines.customer_id, region, order_id, fct_orders.order_date
) as orders
inner join (
    select
        customer_id, order_id,
        lag(order_date, 1) over in_order as previous_order_date,
        lag(order_date, 2) over in_order as second_previous_order_date
    from fct_orders
    where is_sale and customer_id is not null
    window in_order as (partition by customer_id order by order_date, order_id)
) as in_sequence using (customer_id, order_id)
window in_region as (partition by orders.customer_id, region order by orders.order_date, order_id);
alter table customer_orders add primary key (customer_id, order_date, order_id, region);
create index on customer_orders (order_date);
create index on customer_orders (region, order_date);

create table customer_returns_monthly as
select
    steps.region, steps.step, date_trunc('month', customer_orders.order_date)::date as order_month,
    coalesce(date_trunc('month', steps.order_date), date '0001-01-01')::date as earlier_month, count(*) as orders
from customer_orders
cross join lateral (
    values
    ('', 1, previous_order_date), ('', 2, second_previous_order_date),
    (customer_orders.region, 1, previous_order_date_in_region),
    (customer_orders.region, 2, second_previous_order_date_in_region)
) as steps (region, step, order_date)
where is_first_region or steps.region <> ''
group by steps.region, steps.step, order_month, earlier_month;

alter table customer_returns_monthly add primary key (region, step, order_month, earlier_month);

create table customers_daily as
select order_date, coalesce(region, '') as region, count(distinct customer_id) as customers
from customer_orders
group by grouping sets ((order_date), (order_date, region));
alter table customers_daily add primary key (order_date, region);

create temporary table purchases as
select
    lines.product_id, lines.category, lines.payment_method, lines.order_id, lines.customer_id, fct_orders.is_sale,
    date_trunc('month', fct_orders.order_date)::date as order_month
from fct_order_lines as lines
inner join fct_orders on lines.order_id = fct_orders.order_id and (lines.quantity > 0) = fct_orders.is_sale;

create table purchases_monthly as
select product_id, '' as category, '' as payment_method, order_month, date '0001-01-01' as earlier_month,
    count(distinct order_id) filter (where is_sale) as orders,
    count(distinct order_id) filter (where not is_sale) as return_orders, 0::bigint as customers
from purchases group by product_id, order_month
union all
select '', category, '', order_month, date '0001-01-01', count(distinct order_id) filter (where is_sale),
    count(distinct order_id) filter (where not is_sale), 0
from purchases group by category, order_month
union all
select '', '', payment_method, order_month, date '0001-01-01', count(distinct order_id) filter (where is_sale),
    count(distinct order_id) filter (where not is_sale), 0
from purchases group by payment_method, order_month
union all
select product_id, '', '', order_month, earlier_month, 0, 0, count(*)
from (
    select
        product_id, order_month,
        lag(order_month, 1, date '0001-01-01') over (partition by customer_id, product_id order by order_month)
            as earlier_month
    from purchases where is_sale and customer_id is not null
) as in_sequence
where earlier_month < order_month group by product_id, order_month, earlier_month
union all
select '', category, '', order_month, earlier_month, 0, 0, count(*)
from (
    select
        category, order_month,
        lag(order_month, 1, date '0001-01-01') over (partition by customer_id, category order by order_month)
            as earlier_month
    from purchases where is_sale and customer_id is not null
) as in_sequence
where earlier_month < order_month group by category, order_month, earlier_month
union all
select '', '', payment_method, order_month, earlier_month, 0, 0, count(*)
from (
    select
        payment_method, order_month,
        lag(order_month, 1, date '0001-01-01') over (partition by customer_id, payment_method order by order_month)
            as earlier_month
    from purchases where is_sale and customer_id is not null
) as in_sequence
where earlier_month < order_month group by payment_method, order_month, earlier_month;
create index on purchases_monthly (product_id, category, payment_method, order_month, earlier_month);

create table revenue_by_product_monthly as
select
    month_start, product_id, sum(line_count) as line_count, sum(sale_line_count) as sale_line_count,
    sum(gross_revenue) as gross_revenue, sum(discounts) as discounts, sum(returns) as returns,
    sum(net_revenue) as net_revenue, sum(shipping) as shipping, sum(cost) as cost,
    sum(costed_net_revenue) as costed_net_revenue, sum(units) as units, sum(units_returned) as units_returned
from product_revenue_monthly
group by month_start, product_id;
alter table revenue_by_product_monthly add primary key (month_start, product_id);

create table orders_daily as
select
    order_date, count(*) filter (where is_sale) as orders, count(*) filter (where not is_sale) as return_orders
from fct_orders
group by order_date;
alter table orders_daily add primary key (order_date);

create table orders_by_region_daily as
select
    order_date, region, count(*) filter (where is_sale) as orders,
    count(*) filter (where not is_sale) as return_orders
from (
    select distinct fct_order_lines.order_id, region, fct_orders.order_date, fct_orders.is_sale
    from fct_order_lines
    inner join fct_orders on
        fct_order_lines.order_id = fct_orders.order_id and (fct_order_lines.quantity > 0) = fct_orders.is_sale
) as orders
group by order_date, region;
alter table orders_by_region_daily add primary key (order_date, region);

analyze dim_product, dim_customer, dim_region, dim_date, fct_order_lines, fct_orders, revenue_daily,
    revenue_monthly, revenue_by_region_monthly, product_revenue_monthly, customer_orders, customer_returns_monthly,
    customers_daily, purchases_monthly, revenue_by_product_monthly, orders_daily, orders_by_region_daily;

commit;
