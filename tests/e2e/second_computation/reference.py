"""Files as the contract has them, in DuckDB, without any of the product's code.

Every delivery is read as text, judged by the README's rules, and merged line by line; ``lines`` has one
row per live order line with exact decimals. What is asked of it is in the modules beside this one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from tests.e2e.second_computation.values import Row

# Our name for each column of a file, by its header.
_HEADERS = {
    "Order ID": "order_id", "Product ID": "product_id", "Customer ID": "customer_id",
    "Product Name": "product_name", "Category": "category", "Region": "region", "Date of Sale": "sale_date",
    "Quantity Sold": "quantity", "Unit Price": "unit_price", "Discount": "discount",
    "Shipping Cost": "shipping", "Payment Method": "payment_method", "Customer Name": "customer_name",
    "Customer Email": "customer_email", "Customer Address": "customer_address", "Unit Cost": "unit_cost",
}  # fmt: skip
FILTERS = {
    name: f"list_contains(${name}, {name})"
    for name in ("product_id", "category", "region", "payment_method", "customer_id", "source")
}
_AMOUNT = r"\d{1,12}(\.\d{0,6})?"

_READ = """
create or replace temp table rows as
select {columns}, row_number() over () as position
from read_csv($path, all_varchar = true, header = true, delim = ',', quote = '"', escape = '"',
    parallel = false, null_padding = false, nullstr = '\x01')
"""

# A row's order and product are counted over all rows, whatever becomes of them.
_ACCEPT = """
insert into deliveries
with counted as (
    select *,
        row_number() over (partition by trim(order_id), trim(product_id) order by position) as occurrence,
        row_number() over (partition by {text} order by position) as copy
    from rows
),
trimmed as (
    select position, occurrence, copy, {trimmed} from counted
)
select
    $batch, $source, $file_name, position + 1, occurrence, order_id, product_id,
    nullif(customer_id, ''), nullif(product_name, ''), {unspecified},
    cast(left(sale_date, 10) as date), cast(cast(quantity as decimal(18, 6)) as decimal(10, 0)),
    cast(unit_price as decimal(18, 6)), cast(coalesce(nullif(discount, ''), '0') as decimal(7, 6)),
    cast(coalesce(nullif(shipping, ''), '0') as decimal(18, 6)),
    cast(nullif(unit_cost, '') as decimal(18, 6)), nullif(customer_name, '')
from trimmed
where copy = 1
    and length(order_id) between 1 and 200 and length(product_id) between 1 and 200
    and regexp_full_match(sale_date, '\\d{{4}}-\\d{{2}}-\\d{{2}}([ T].*)?')
    and year(try_cast(left(sale_date, 10) as date)) between 1900 and 2199
    and regexp_full_match(quantity, '-?\\d+(\\.0*)?') and cast(quantity as decimal(18, 6)) <> 0
    and regexp_full_match(unit_price, '{amount}')
    and (discount = '' or (regexp_full_match(discount, '{amount}') and cast(discount as decimal(18, 6)) <= 1))
    and (shipping = '' or regexp_full_match(shipping, '{amount}'))
    and (unit_cost = '' or regexp_full_match(unit_cost, '{amount}'))
"""

_DELIVERIES = """
create table deliveries (
    batch_id integer, source varchar, file_name varchar, row_number bigint, occurrence bigint,
    order_id varchar, product_id varchar, customer_id varchar, product_name varchar,
    category varchar, region varchar, payment_method varchar, sale_date date, quantity decimal(10, 0),
    unit_price decimal(18, 6), discount decimal(7, 6), shipping decimal(18, 6), unit_cost decimal(18, 6),
    customer_name varchar
)
"""
_LINES = (
    # The newest version of a line is the line.
    """
    create table lines as
    with live as (
        select * from deliveries
        qualify row_number() over (
            partition by source, order_id, product_id, occurrence order by batch_id desc) = 1
    ),
    valued as (
        select *,
            cast(1 as decimal(7, 6)) - discount as kept,
            quantity > 0 as is_sale_line,
            dense_rank() over (order by source, order_id) as order_no
        from live
    ),
    priced as (
        select *,
            cast(if(is_sale_line, quantity * unit_price, 0) as decimal(38, 12)) as gross_revenue,
            cast(if(is_sale_line, quantity * unit_price * discount, 0) as decimal(38, 12)) as discounts,
            cast(if(is_sale_line, 0, -quantity * unit_price * cast(kept as decimal(7, 6)))
                as decimal(38, 12)) as returns,
            cast(quantity * unit_cost as decimal(38, 12)) as cost,
            bool_or(is_sale_line) over (partition by order_no) as is_sale,
            coalesce(min(sale_date) filter (where is_sale_line) over (partition by order_no),
                min(sale_date) over (partition by order_no)) as order_date
        from valued
    )
    select *, gross_revenue - discounts - returns as net_revenue from priced
    """,
    """
    create table product_names as
    select product_id, coalesce(arg_max(product_name, (sale_date, batch_id, row_number))
        filter (where product_name is not null), product_id) as name
    from lines group by product_id
    """,
    """
    create table customer_names as
    select customer_id, arg_max(customer_name, (sale_date, batch_id, row_number))
        filter (where customer_name is not null) as name
    from lines where customer_id is not null group by customer_id
    """,
    # One row for each customer of an order's sale lines.
    """
    create table customer_orders as
    select distinct customer_id, order_no, order_date
    from lines where is_sale_line and customer_id is not null
    """,
)


@dataclass(frozen=True)
class Delivery:
    """One file and the source that it is loaded for."""

    path: Path
    source: str = "default"


class Reference:
    """What the deliveries, loaded one after another, must be answered with."""

    def __init__(self, deliveries: Iterable[Delivery]) -> None:
        self._duck = duckdb.connect()
        self._duck.execute(_DELIVERIES)
        for number, delivery in enumerate(deliveries, 1):
            self._accept(number, delivery)
        for statement in _LINES:
            self._duck.execute(statement)
        [[first, last]] = self.select("select min(sale_date), max(sale_date) from lines")
        self.first: date = first
        self.last: date = last
        self.product_names: dict[str, str] = dict(self.select("from product_names"))
        self.customer_names: dict[str, str | None] = dict(self.select("from customer_names"))

    def select(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement; ``$name`` stands for a value."""
        found: list[tuple[Any, ...]] = self._duck.execute(query, values).fetchall()
        return found

    def rows(self, query: str, **values: Any) -> list[Row]:
        """The same rows by the names of their columns."""
        done = self._duck.execute(query, values)
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def choices(self, column: str) -> list[str]:
        """The values of a column of the lines, without null, in order."""
        found = self.select(f"select distinct {column} from lines where {column} is not null order by 1")
        return [value for (value,) in found]

    def span(self, start: date | None, end: date | None) -> tuple[date, date]:
        """The asked range, with what was not asked taken from the data."""
        if start is None:
            start = self.first if end is None else min(self.first, end)
        return start, max(start, self.last) if end is None else end

    def named(self, kind: str, found: str | None) -> Row:
        """A product or a customer with its current name."""
        names: Mapping[str, str | None] = self.product_names if kind == "product" else self.customer_names
        return {"id": found, "name": None if found is None else names[found]}

    def _accept(self, batch: int, delivery: Delivery) -> None:
        described = self.select(
            "select column_name from (describe from read_csv($path, all_varchar = true, header = true))",
            path=str(delivery.path),
        )
        there = {_HEADERS[name]: name for (name,) in described}
        columns = ", ".join(f'"{title}" as {name}' for name, title in there.items())
        self._duck.execute(_READ.format(columns=columns), {"path": str(delivery.path)})
        statement = _ACCEPT.format(
            text=", ".join(there),
            trimmed=", ".join(_trimmed(there)),
            unspecified=", ".join(
                f"coalesce(nullif({name}, ''), 'Unspecified')"
                for name in ("category", "region", "payment_method")
            ),
            amount=_AMOUNT,
        )
        given = {"batch": batch, "source": delivery.source, "file_name": delivery.path.name}
        self._duck.execute(statement, given)


def conditions(filters: Mapping[str, Sequence[str]]) -> str:
    """The filters, as `and …`."""
    return " ".join(f"and {FILTERS[name]}" for name in filters)


def _trimmed(there: Mapping[str, str]) -> list[str]:
    return [f"trim({name}) as {name}" if name in there else f"'' as {name}" for name in _HEADERS.values()]


def quotient(above: Any, below: Any) -> Fraction | None:
    """The exact quotient; None when it is undefined."""
    return None if above is None or not below else Fraction(above) / Fraction(below)
