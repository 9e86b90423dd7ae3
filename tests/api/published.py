"""Published tables for tests, computed from order lines in Python, without SQL or dbt."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from tests.api import derived
from tests.api.published_tables import TABLES

Connection = psycopg.Connection[tuple[Any, ...]]
ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """One order line as it was sold."""

    order_id: str
    product_id: str
    sale_date: date
    quantity: int
    unit_price: Decimal
    discount: Decimal = ZERO
    shipping: Decimal = ZERO
    unit_cost: Decimal | None = None
    product_name: str | None = None
    category: str = "Unspecified"
    customer_id: str | None = None
    customer_name: str | None = None
    region: str = "Unspecified"
    payment_method: str = "Unspecified"
    source: str = "default"
    occurrence: int = 1
    tax: Decimal = ZERO
    extra: dict[str, str] | None = None

    @property
    def gross(self) -> Decimal:
        return self.quantity * self.unit_price if self.quantity > 0 else ZERO

    @property
    def discounted(self) -> Decimal:
        return self.gross * self.discount

    @property
    def returned(self) -> Decimal:
        return -self.quantity * self.unit_price * (1 - self.discount) if self.quantity < 0 else ZERO

    @property
    def net(self) -> Decimal:
        return self.gross - self.discounted - self.returned

    @property
    def cost(self) -> Decimal | None:
        return None if self.unit_cost is None else self.quantity * self.unit_cost


@dataclass(frozen=True)
class Order:
    """An order, or a document with return lines only."""

    source: str
    order_id: str
    order_date: date
    is_sale: bool
    customer_id: str | None
    has_several_customers: bool
    lines: tuple[Line, ...]


def numbered(lines: Iterable[Line]) -> list[Line]:
    """The lines with their occurrence within (source, order, product)."""
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    made = []
    for line in lines:
        key = (line.source, line.order_id, line.product_id)
        seen[key] += 1
        made.append(replace(line, occurrence=seen[key]))
    return made


def orders_of(lines: Sequence[Line]) -> list[Order]:
    """The orders that the lines make."""
    by_order: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        by_order[line.source, line.order_id].append(line)
    made = []
    for (source, order_id), of_order in by_order.items():
        sales = [line for line in of_order if line.quantity > 0]
        counted = sales or of_order
        made.append(
            Order(
                source,
                order_id,
                min(line.sale_date for line in counted),
                bool(sales),
                min((line.customer_id for line in counted if line.customer_id), default=None),
                len({line.customer_id for line in sales if line.customer_id}) > 1,
                tuple(of_order),
            )
        )
    return made


def publish(connection: Connection, lines: Sequence[Line]) -> int:
    """Publish these lines as all there is, as a new build; returns its id."""
    lines = numbered(lines)
    with connection.transaction():
        if connection.execute("select to_regclass('core.fct_orders')").fetchone() == (None,):
            for statement in TABLES:
                connection.execute(sql.SQL(statement))
        keys = {version: key for key, version in enumerate(_versions(lines), start=1)}
        orders = orders_of(lines)
        for table, rows in (
            ("marts.product_revenue_monthly", _rollup(lines, _monthly)),
            ("marts.revenue_daily", _rollup(lines, _daily)),
            ("marts.revenue_by_product_monthly", _rollup(lines, _product_monthly)),
            ("marts.revenue_by_region_monthly", _rollup(lines, _region_monthly)),
            ("marts.revenue_monthly", _rollup(lines, _all_monthly)),
            ("marts.purchases_monthly", derived.purchases_monthly(orders)),
            ("marts.customer_returns_monthly", derived.customer_returns_monthly(orders)),
            ("marts.customers_daily", derived.customers_daily(orders)),
            ("marts.customer_orders", derived.customer_orders(orders)),
            ("marts.orders_daily", derived.orders_daily(orders)),
            ("marts.orders_by_region_daily", derived.orders_by_region_daily(orders)),
            ("marts.revenue_anomalies", derived.revenue_anomalies(lines)),
            ("core.fct_order_lines", [_line_row(line, keys) for line in lines]),
            ("core.fct_orders", [_order_row(order) for order in orders]),
            ("core.dim_customer", [(*named, None, None) for named in customer_names(lines).items()]),
            ("core.dim_product", _products(lines, keys)),
        ):
            _fill(connection, table, rows)
        row = connection.execute(
            "insert into core.builds (status, is_full, data_as_of, built_at, finished_at, requested_by)"
            " values ('published', true, %s, now(), now(), 'test') returning build_id",
            (max((line.sale_date for line in lines), default=None),),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _fill(connection: Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    name = sql.Identifier(*table.split("."))
    connection.execute(sql.SQL("delete from {}").format(name))
    with connection.cursor().copy(sql.SQL("copy {} from stdin").format(name)) as copy:
        for row in rows:
            copy.write_row(row)


def _versions(lines: Sequence[Line]) -> list[tuple[str, str | None, str]]:
    return sorted(
        {(line.product_id, line.product_name, line.category) for line in lines},
        key=lambda version: (version[0], version[1] or "", version[2]),
    )


def current_names(lines: Sequence[Line]) -> dict[str, str]:
    """The current name of each product: the latest that is not blank, else its id."""
    names = {line.product_id: line.product_id for line in lines}
    for line in sorted(lines, key=lambda line: line.sale_date):
        if line.product_name:
            names[line.product_id] = line.product_name
    return names


def _products(lines: Sequence[Line], keys: dict[Any, int]) -> list[Sequence[object]]:
    names = current_names(lines)
    newest: dict[str, int] = {}
    for line in sorted(lines, key=lambda line: line.sale_date):
        newest[line.product_id] = keys[line.product_id, line.product_name, line.category]
    return [
        (key, *version, version[2], key == newest[version[0]], names[version[0]])
        for version, key in keys.items()
    ]  # fmt: skip


def customer_names(lines: Sequence[Line]) -> dict[str, str | None]:
    """The current name of each customer: the latest that is not blank."""
    names: dict[str, str | None] = {}
    for line in sorted(lines, key=lambda line: line.sale_date):
        if line.customer_id:
            names[line.customer_id] = line.customer_name or names.get(line.customer_id)
    return names


def _order_row(order: Order) -> Sequence[object]:
    return (
        order.source,
        order.order_id,
        order.order_date,
        order.is_sale,
        order.customer_id,
        order.has_several_customers,
    )


def _line_row(line: Line, keys: dict[Any, int]) -> Sequence[object]:
    return (
        line.source, line.order_id, line.product_id, line.occurrence, f"{line.product_id} #{line.occurrence}",
        keys[line.product_id, line.product_name, line.category], line.customer_id, line.region,
        line.payment_method, line.sale_date, line.quantity, line.unit_price, line.discount, line.shipping,
        line.unit_cost, line.gross, line.discounted, line.returned, line.net, line.tax, line.cost,
        None if line.extra is None else json.dumps(line.extra), None, None,
    )  # fmt: skip


def _daily(line: Line) -> tuple[object, ...]:
    return (line.sale_date, line.source, line.region, line.category, line.payment_method)


def _all_monthly(line: Line) -> tuple[object, ...]:
    return (line.sale_date.replace(day=1), *_daily(line)[1:])


def _region_monthly(line: Line) -> tuple[object, ...]:
    return (line.sale_date.replace(day=1), line.source, line.region)


def _product_monthly(line: Line) -> tuple[object, ...]:
    return (line.sale_date.replace(day=1), line.product_id)


def _monthly(line: Line) -> tuple[object, ...]:
    return (line.sale_date.replace(day=1), line.product_id, line.category, line.region)


def _rollup(lines: Sequence[Line], key: Any) -> list[Sequence[object]]:
    groups: dict[tuple[object, ...], list[Line]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return [(*found, *_sums(of_group)) for found, of_group in groups.items()]


def _sums(lines: Sequence[Line]) -> Sequence[object]:
    costed = [line for line in lines if line.cost is not None]
    return (
        len(lines),
        sum(line.quantity > 0 for line in lines),
        sum((line.gross for line in lines), ZERO),
        sum((line.discounted for line in lines), ZERO),
        sum((line.returned for line in lines), ZERO),
        sum((line.net for line in lines), ZERO),
        sum((line.shipping for line in lines), ZERO),
        sum((line.tax for line in lines), ZERO),
        sum((line.cost for line in costed if line.cost is not None), ZERO),
        sum((line.net for line in costed), ZERO),
        len(costed),
        sum(line.quantity for line in lines if line.quantity > 0),
        -sum(line.quantity for line in lines if line.quantity < 0),
    )


def golden_lines() -> list[Line]:
    """The six lines of the challenge's sample."""
    rows = (
        ("1001", "P123", "C456", "UltraBoost Running Shoes", "Shoes", "North America", "2023-12-15", 2,
         "180.00", "0.1", "10.00", "Credit Card", "John Smith"),
        ("1002", "P456", "C789", "iPhone 15 Pro", "Electronics", "Europe", "2024-01-03", 1,
         "1299.00", "0.0", "15.00", "PayPal", "Emily Davis"),
        ("1003", "P789", "C456", "Levi's 501 Jeans", "Clothing", "Asia", "2024-02-28", 3,
         "59.99", "0.2", "5.00", "Debit Card", "John Smith"),
        ("1004", "P123", "C101", "UltraBoost Running Shoes", "Shoes", "South America", "2024-03-10", 1,
         "180.00", "0.0", "8.00", "Credit Card", "Sarah Johnson"),
        ("1005", "P234", "C789", "Sony WH-1000XM5 Headphones", "Electronics", "North America", "2024-04-22",
         1, "349.99", "0.15", "12.00", "PayPal", "Emily Davis"),
        ("1006", "P456", "C101", "iPhone 15 Pro", "Electronics", "Asia", "2024-05-18", 2,
         "1299.00", "0.05", "20.00", "Debit Card", "Sarah Johnson"),
    )  # fmt: skip
    return [
        Line(
            order_id=order, product_id=product, customer_id=customer, product_name=name, category=category,
            region=region, sale_date=date.fromisoformat(day), quantity=quantity, unit_price=Decimal(price),
            discount=Decimal(discount), shipping=Decimal(shipping), payment_method=payment,
            customer_name=customer_name,
        )
        for order, product, customer, name, category, region, day, quantity, price, discount, shipping,
        payment, customer_name in rows
    ]  # fmt: skip


def random_lines(random: Any, count: int) -> list[Line]:
    """Lines with what is hard: guests, returns, unknown costs, renamed and moved products, late lines."""
    lines: list[Line] = []
    order = 0
    while len(lines) < count:
        order += 1
        day = date(2023, 11, 20) + timedelta(days=random.randrange(150))
        customer = random.choice([None, *(f"C{n}" for n in range(12))])
        source = random.choice(["default", "web"])
        is_return = random.random() < 0.15
        for _ in range(random.randint(1, 4)):
            number = random.randrange(9)
            late = timedelta(days=random.choice([0, 0, 0, 0, 1, 20]))
            quantity = random.randint(1, 5)
            lines.append(
                Line(
                    order_id=f"{order % 40 if source == 'web' else order}",
                    product_id=f"P{number}",
                    product_name=random.choice([f"Name {number}", f"Old {number}"]) if number else None,
                    category=random.choice(["Shoes", "Books, maps", "50% off"]),
                    customer_id=(
                        random.choice([customer] * 9 + ["C1"]) if source == "default" else f"W{order % 40}"
                    ),
                    customer_name=random.choice([None, f"Customer {customer}"]),
                    region=random.choice(["Asia", "Europe", "Åland"]),
                    payment_method=random.choice(["Card", "Cash"]),
                    source=source,
                    sale_date=day + late,
                    quantity=-quantity if is_return or random.random() < 0.1 else quantity,
                    unit_price=Decimal(random.randrange(0, 10_000_000)).scaleb(-random.choice([2, 3, 6])),
                    discount=random.choice([ZERO, Decimal("0.1"), Decimal("0.333333"), Decimal(1)]),
                    shipping=random.choice([ZERO, Decimal("4.5")]),
                    tax=random.choice([ZERO, Decimal("0.19") * quantity]),
                    unit_cost=random.choice([None, Decimal("3.25"), Decimal("0.000001")]),
                )
            )
    return lines
