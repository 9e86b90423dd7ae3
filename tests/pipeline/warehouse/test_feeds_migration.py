"""The feeds come to warehouses that have published lines already, and to those that have none."""

from importlib import import_module

import pytest

from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

FEEDS = import_module("pipeline.warehouse.migrations.versions.0009_feeds").STATEMENTS
TABLES = "unit_costs, raw.refunds, raw.stores, raw.product_records, raw.customer_records"


@pytest.mark.parametrize("is_published", [True, False], ids=["published", "empty"])
def test_a_warehouse_of_before_gets_the_feeds(warehouse: Warehouse, is_published: bool) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute(f"drop table raw.{TABLES}".encode())
        connection.execute("alter table raw.order_lines drop column store_id")
        connection.execute("drop table if exists core.fct_order_lines")
        if is_published:
            connection.execute("create table core.fct_order_lines (order_id text)")
        for statement in FEEDS:
            connection.execute(statement.encode())
        columns = connection.execute(
            "select column_name::text from information_schema.columns"
            " where table_schema = 'core' and table_name = 'fct_order_lines' order by 1"
        ).fetchall()
    assert columns == ([("order_id",), ("refund_id",)] if is_published else [])
