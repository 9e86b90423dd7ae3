"""A warehouse of before answers for whole months, and for customers, before its next build."""

from importlib import import_module
from typing import Any

import pytest

from pipeline.answers.errors import QueryError
from pipeline.answers.revenue import RevenueQuestion, answer
from pipeline.warehouse.connect import connect
from pipeline.warehouse.migrate import upgrade
from tests.conftest import Warehouse
from tests.pipeline.builds.conftest import Workbench

VERSIONS = "pipeline.warehouse.migrations.versions"
MONTHS = import_module(f"{VERSIONS}.0013_months").STATEMENTS
PURCHASES = import_module(f"{VERSIONS}.0015_purchases").STATEMENTS
DAYS = import_module(f"{VERSIONS}.0016_customers_of_days").STATEMENTS
SEQUENCES = import_module(f"{VERSIONS}.0017_one_table_of_sequences").STATEMENTS
# Made by migrations where they are not there.
MADE = (
    "revenue_monthly",
    "revenue_by_region_monthly",
    "customer_returns_monthly",
    "purchases_monthly",
    "revenue_by_product_monthly",
    "customers_daily",
)
TABLES = (*MADE, "customer_orders")
# The two tables that had the sequences before.
BEFORE = (
    """
    create table marts.customer_orders_by_region as
    select
        customer_id, region, source, order_id, order_date,
        previous_order_date_in_region as previous_order_date,
        second_previous_order_date_in_region as second_previous_order_date
    from marts.customer_orders
    """,
    "delete from marts.customer_orders where not is_first_region",
    """
    alter table marts.customer_orders
    drop region, drop is_first_region, drop previous_order_date_in_region,
    drop second_previous_order_date_in_region
    """,
)
HEADER = (
    "Order ID,Product ID,Customer ID,Region,Category,Date of Sale,Quantity Sold,Unit Price,Shipping Cost,"
    "Discount,Payment Method\n"
)


def lines() -> str:
    return HEADER + "".join(
        f"O{n % 200},P{n % 7},C{n % 200 % 23},"
        f"Region {n % 3},Category {n % 4},2024-{n % 12 + 1:02}-{n % 27 + 1:02},"
        f"{-1 if n % 11 == 0 else 2},{n % 13}.25,1.50,0.{n % 10},Way {n % 2}\n"
        for n in range(400)
    )


def rows(bench: Workbench, table: str) -> list[Any]:
    return bench.rows(f"select to_jsonb(found)::text from marts.{table} as found order by 1")


def take_away(bench: Workbench) -> None:
    """Make the warehouse one of before."""
    for name in MADE:
        bench.connection.execute(f"drop table marts.{name}".encode())
    for statement in BEFORE:
        bench.connection.execute(statement.encode())


def upgrade_anew(bench: Workbench) -> None:
    """Take the tables away, and have the migrations make them."""
    take_away(bench)
    bench.connection.execute("update migrations.alembic_version set version_num = '0012'")
    upgrade(bench.warehouse.urls.owner)


def relations(bench: Workbench) -> list[tuple[str, str]]:
    """The constraints and indexes of the published tables."""
    return bench.rows(
        """
        select conrelid::regclass::text, pg_get_constraintdef(pg_constraint.oid)
        from pg_constraint
        where connamespace = 'core'::regnamespace or connamespace = 'marts'::regnamespace
        union all
        select schemaname || '.' || tablename, indexdef from pg_indexes where schemaname in ('core', 'marts')
        order by 1, 2
        """
    )


@pytest.mark.parametrize("table", TABLES)
def test_an_upgrade_makes_these_tables_as_a_build_does(workbench: Workbench, table: str) -> None:
    workbench.land(lines())
    workbench.build()
    built = rows(workbench, table)
    assert len(built) >= 12
    upgrade_anew(workbench)
    assert rows(workbench, table) == built
    # And the next full build, which compares every row, finds no difference.
    changed = workbench.build(full=True).rows_changed
    assert changed[f"marts.{table}"] == {"written": 0, "deleted": 0}


def test_the_next_full_build_gives_them_the_constraints_of_a_new_warehouse(
    workbench: Workbench,
) -> None:
    workbench.land(lines())
    workbench.build()
    made_anew = relations(workbench)
    assert ("marts.customer_orders", "FOREIGN KEY (region) REFERENCES core.dim_region(region)") in made_anew
    assert ("marts.customers_daily", "NOT NULL customers") in made_anew
    upgrade_anew(workbench)
    assert relations(workbench) != made_anew
    workbench.build(full=True)
    assert relations(workbench) == made_anew


def test_an_upgrade_makes_the_tables_before_it_shuts_readers_out(workbench: Workbench) -> None:
    workbench.land(lines())
    workbench.build()
    take_away(workbench)
    locked = """
        select relation::regclass::text from pg_locks
        where
            pid = pg_backend_pid() and mode = 'AccessExclusiveLock'
            and relation in (select oid from before_upgrade)
        order by 1
    """
    workbench.connection.execute("create temporary table before_upgrade as select oid from pg_class")
    statements: list[str] = [*MONTHS, *PURCHASES, *DAYS, *SEQUENCES]
    with workbench.connection.transaction():
        for statement in statements[:-1]:
            workbench.connection.execute(statement.encode())
        assert workbench.rows(locked) == []
        workbench.connection.execute(statements[-1].encode())
        assert ("core.dim_date",) in workbench.rows(locked)
        assert workbench.rows("select count(*) > 0 from marts.customer_orders") == [(True,)]
    # And what they made has statistics.
    assert (
        workbench.rows(
            "select relname from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'r'"
            " and reltuples < 0 and relname in ('customer_orders', 'customers_daily', 'purchases_monthly',"
            " 'revenue_by_product_monthly')"
        )
        == []
    )


def test_rollups_of_before_tax_are_left_to_the_next_build_and_readers_are_told(workbench: Workbench) -> None:
    workbench.land(lines())
    workbench.build()
    built = {table: rows(workbench, table) for table in TABLES}
    workbench.connection.execute("alter table marts.revenue_daily drop column tax")
    workbench.connection.execute("alter table marts.product_revenue_monthly drop column tax")
    upgrade_anew(workbench)
    missing = "to_regclass('marts.revenue_monthly'), to_regclass('marts.revenue_by_product_monthly')"
    assert workbench.rows(f"select {missing}") == [(None, None)]
    too_old = "too old to be read by this one: `tillhouse refresh` publishes them anew"
    with pytest.raises(QueryError, match=too_old):
        total_tax(workbench)
    # The build begins: what it will fill is there, and empty.
    workbench.connection.execute("update core.builds set project_hash = 'older'")
    assert workbench.start() is not None
    with pytest.raises(QueryError, match=too_old):
        total_tax(workbench)
    assert workbench.build().is_full
    assert total_tax(workbench) == "0.00"
    assert {table: rows(workbench, table) for table in TABLES} == built


def total_tax(bench: Workbench) -> Any:
    with connect(bench.warehouse.urls.reader) as reader:
        [row] = answer(reader, RevenueQuestion(), currency="USD", time_zone="UTC").rows
    return row["tax"]


def test_a_new_warehouse_gets_them_with_its_first_build(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        found = connection.execute("select to_regclass('marts.revenue_monthly')").fetchone()
    assert found == (None,)
