"""How many customers there were, how many of them new, and how many came again."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from pipeline.answers.numbers import ratio
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.published import Line, numbered, orders_of
from tests.conftest import Warehouse


def data_of(client: StrictClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(address).json
    assert answer is not None
    rows: list[dict[str, Any]] = answer["data"]
    return rows


def expected(
    lines: list[Line], start: date, end: date, filters: dict[str, list[str]], region: str | None = None
) -> dict[str, Any]:
    """The counts, order by order in Python."""
    orders: dict[str, set[tuple[date, str, str]]] = {}
    for order in orders_of(numbered(lines)):
        for line in order.lines:
            wanted = all(getattr(line, name) in values for name, values in filters.items())
            if wanted and line.quantity > 0 and region in (None, line.region) and line.customer_id:
                placed = orders.setdefault(line.customer_id, set())
                placed.add((order.order_date, order.source, order.order_id))
    counts = {who: [start <= day <= end for day, _, _ in placed] for who, placed in orders.items()}
    active = [who for who, of_who in counts.items() if any(of_who)]
    new = sum(min(orders[who])[0] >= start for who in active)
    repeat = sum(sum(counts[who]) > 1 for who in active)
    return {
        "customers": len(active),
        "new_customers": new,
        "returning_customers": len(active) - new,
        "repeat_customers": repeat,
        "repeat_rate": ratio(repeat, len(active)),
    }


def test_the_golden_customers(client: StrictClient, golden: int) -> None:
    assert data_of(client, "/api/v1/customers/summary") == [
        {"customers": 3, "new_customers": 3, "returning_customers": 0, "repeat_customers": 3,
         "repeat_rate": "1.000000", "orders": 6, "net_revenue": "4712.5675",
         "average_order_value": "785.427917"}
    ]  # fmt: skip
    # The calendar's first day stands for "since ever".
    since_ever = data_of(client, "/api/v1/customers/summary?start_date=0001-01-01")
    assert since_ever == data_of(client, "/api/v1/customers/summary")
    # From March on C101 is new; C789 and C456's earlier orders lie before.
    assert data_of(client, "/api/v1/customers/summary?start_date=2024-03-01") == [
        {"customers": 2, "new_customers": 1, "returning_customers": 1, "repeat_customers": 1,
         "repeat_rate": "0.500000", "orders": 3, "net_revenue": "2945.5915",
         "average_order_value": "981.863833"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"region": ["Asia"]},
        {"region": ["Asia", "Europe"]},
        {"source": ["web"]},
        {"source": ["web"], "region": ["Åland"]},
        {"category": ["Shoes"]},
        {"category": ["Shoes"], "region": ["Asia", "Europe"]},
        {"product_id": ["P1", "P2"], "payment_method": ["Card"]},
        {"customer_id": ["C1", "W3"]},
    ],
    ids=lambda filters: "-".join(filters) or "none",
)
def test_customers_of_any_range_are_those_counted_one_by_one(
    client: StrictClient, many_lines: list[Line], filters: dict[str, list[str]]
) -> None:
    random = Random(11)
    query = "".join(f"&{name}={value}" for name, values in filters.items() for value in values)
    for _ in range(12):
        start = date(2023, 11, 1) + timedelta(days=random.randrange(180))
        end = start + timedelta(days=random.choice([0, 6, 30, 90]))
        address = f"/api/v1/customers/summary?start_date={start}&end_date={end}{query}"
        [row] = data_of(client, address)
        assert row.items() >= expected(many_lines, start, end, filters).items(), address
        for of_region in data_of(client, f"{address}&group_by=region"):
            region = of_region["region"]
            assert of_region.items() >= expected(many_lines, start, end, filters, region).items(), address


def test_customers_and_orders_of_a_range_are_counted_without_the_facts(
    client: StrictClient, golden: int
) -> None:
    for query in ("", "&region=Asia", "&group_by=region"):
        answer = client.get(f"/api/v1/customers/summary?explain=true&start_date=2024-01-01{query}").json
        assert answer is not None
        assert not {"core.fct_orders", "core.fct_order_lines"} & set(answer["meta"]["explain"]["tables"])


def test_customers_are_found_by_name(client: StrictClient, golden: int) -> None:
    assert data_of(client, "/api/v1/customers?search=smith") == [
        {
            "customer_id": "C456",
            "customer_name": "John Smith",
            "customer_email": None,
            "customer_address": None,
            "attributes": None,
        }
    ]
    assert [row["customer_id"] for row in data_of(client, "/api/v1/customers")] == ["C101", "C456", "C789"]


def test_customers_have_the_attributes_of_their_feed(
    client: StrictClient, golden: int, warehouse: Warehouse
) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            """
            insert into core.dim_customer_record values
                ('C456', 'Jack', null, null, '{"Age": "44"}', 1, 2), ('C000', 'Never', null, null, null, 1, 3)
            """
        )
    assert {row["customer_id"]: row["attributes"] for row in data_of(client, "/api/v1/customers")} == {
        "C101": None,
        "C456": {"Age": "44"},
        "C789": None,
    }
