"""What callers who are limited to regions are told of products, customers and lines."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from api.access import JOB, Principal
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.published import Line, golden_lines
from tests.conftest import Warehouse


def limit_to(client: StrictClient, *regions: str) -> None:
    """Let every request of a client come from somebody who sees these regions alone."""
    environ: dict[str, Any] = client.environ_base
    environ[JOB] = Principal(UUID(int=1), "anna", frozenset(["analytics:read"]), regions)


def data_of(client: StrictClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.json is not None
    rows: list[dict[str, Any]] = answer.json["data"]
    return rows


def test_products_are_those_sold_in_the_regions(client: StrictClient, golden: int) -> None:
    limit_to(client, "Asia", "Europe")
    assert [row["product_id"] for row in data_of(client, "/api/v1/products")] == ["P456", "P789"]
    limit_to(client, "South America")
    assert [row["product_id"] for row in data_of(client, "/api/v1/products")] == ["P123"]
    assert data_of(client, "/api/v1/products?search=iphone") == []


def test_customers_are_those_who_bought_in_the_regions(client: StrictClient, golden: int) -> None:
    limit_to(client, "Europe", "South America")
    assert [row["customer_id"] for row in data_of(client, "/api/v1/customers")] == ["C101", "C789"]


def test_other_regions_categories_are_not_told(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    # The iPhone was sold as electronics in Europe, then in Asia alone under a secret category.
    lines = golden_lines()
    publish_lines([*lines[:-1], Line(**{**vars(lines[-1]), "category": "Secret"})])
    assert [
        (row["category"], row["categories"]) for row in data_of(client, "/api/v1/products?search=P456")
    ] == [("Secret", ["Electronics", "Secret"])]
    limit_to(client, "Europe")
    assert [
        (row["category"], row["own_category"], row["categories"])
        for row in data_of(client, "/api/v1/products?search=P456")
    ] == [(None, None, ["Electronics"])]
    assert data_of(client, "/api/v1/products?category=Secret") == []
    limit_to(client, "Asia")
    assert [
        (row["category"], row["categories"]) for row in data_of(client, "/api/v1/products?category=Secret")
    ] == [("Secret", ["Secret"])]


def test_the_delivery_that_brought_a_line_is_not_told(
    client: StrictClient, warehouse: Warehouse, many_lines: list[Line]
) -> None:
    names = ("batch_id", "file_name", "row_number")
    with connect(warehouse.urls.owner) as connection:
        connection.execute("update core.fct_order_lines set batch_id = 7, row_number = 3")
    region = many_lines[0].region
    everything = data_of(client, f"/api/v1/orders?region={region}")
    assert {(row["batch_id"], row["row_number"]) for row in everything} == {(7, 3)}
    limit_to(client, region)
    told = data_of(client, "/api/v1/orders")
    assert told == [row | dict.fromkeys(names) for row in everything]
    of_order = data_of(client, f"/api/v1/orders/{told[0]['order_id']}?source={told[0]['source']}")
    assert {row[name] for row in of_order for name in names} == {None}
    text = client.get("/api/v1/orders?format=csv").text.splitlines()
    assert all(line.endswith(",,,") for line in text[1:])
