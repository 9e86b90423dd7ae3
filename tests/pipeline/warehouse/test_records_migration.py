"""A warehouse of before answers for products and customers before its next build."""

from importlib import import_module
from typing import Any

from pipeline.answers.directory import customers, products
from pipeline.warehouse.connect import connect
from tests.api.published import golden_lines, publish
from tests.conftest import Warehouse

VERSIONS = "pipeline.warehouse.migrations.versions"
ASKED: dict[str, Any] = {
    "search": None, "regions": None, "limit": 1, "cursor": None, "currency": "USD", "time_zone": "UTC",
}  # fmt: skip


def test_products_and_customers_are_there_without_the_records_of_their_feeds(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, golden_lines())
        connection.execute("drop table core.dim_product_record, core.dim_customer_record")
        connection.execute("alter table core.dim_product drop column own_category")
        for statement in import_module(f"{VERSIONS}.0010_records").STATEMENTS:
            connection.execute(statement.encode())
    with connect(warehouse.urls.reader) as connection:
        [product] = products(connection, categories=None, **ASKED).rows
        [customer] = customers(connection, **ASKED).rows
    assert product == {
        "product_id": "P123", "product_name": "UltraBoost Running Shoes", "category": "Shoes",
        "own_category": None, "categories": ["Shoes"], "list_price": None, "description": None,
        "attributes": None,
    }  # fmt: skip
    assert (customer["customer_id"], customer["attributes"]) == ("C101", None)
