"""A warehouse of before answers for whole months before its next build."""

from importlib import import_module
from typing import Any

import pytest

from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.builds.conftest import Workbench

VERSIONS = "pipeline.warehouse.migrations.versions"
STATEMENTS = (
    *import_module(f"{VERSIONS}.0013_months").STATEMENTS,
    *import_module(f"{VERSIONS}.0017_purchases").STATEMENTS,
)
TABLES = (
    "revenue_monthly",
    "revenue_by_region_monthly",
    "customer_returns_monthly",
    "purchases_monthly",
    "revenue_by_product_monthly",
)
HEADER = (
    "Order ID,Product ID,Customer ID,Region,Category,Date of Sale,Quantity Sold,Unit Price,Shipping Cost,"
    "Discount,Payment Method\n"
)


def lines() -> str:
    return HEADER + "".join(
        f"O{n % 200},P{n % 7},C{n % 23},Region {n % 3},Category {n % 4},2024-{n % 12 + 1:02}-{n % 27 + 1:02},"
        f"{-1 if n % 11 == 0 else 2},{n % 13}.25,1.50,0.{n % 10},Way {n % 2}\n"
        for n in range(400)
    )


def rows(bench: Workbench, table: str) -> list[Any]:
    return bench.rows(f"select to_jsonb(found)::text from marts.{table} as found order by 1")


@pytest.mark.parametrize("table", TABLES)
def test_the_rollups_of_months_are_made_as_a_build_makes_them(workbench: Workbench, table: str) -> None:
    workbench.land(lines())
    workbench.build()
    built = rows(workbench, table)
    assert len(built) >= 12
    for name in TABLES:
        workbench.connection.execute(f"drop table marts.{name}".encode())
    for statement in STATEMENTS:
        workbench.connection.execute(statement.encode())
    assert rows(workbench, table) == built
    # And the next full build, which compares every row, finds no difference.
    changed = workbench.build(full=True).rows_changed
    assert changed[f"marts.{table}"] == {"written": 0, "deleted": 0}


def test_a_new_warehouse_gets_them_with_its_first_build(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        found = connection.execute("select to_regclass('marts.revenue_monthly')").fetchone()
    assert found == (None,)
