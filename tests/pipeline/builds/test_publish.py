"""Publishing: all or nothing, by difference, and nothing that readers could trip over."""

from decimal import Decimal

import psycopg
import pytest

from pipeline.builds.dbt_runner import failing_rows
from pipeline.builds.plan import close_interrupted_builds
from pipeline.builds.publish import PublishError, publish
from pipeline.warehouse.connect import connect
from tests.pipeline.builds.conftest import Workbench

HEADER = (
    "Order ID,Product ID,Customer ID,Product Name,Category,Region,Date of Sale,Quantity Sold,Unit Price\n"
)
NET = "select sum(net_revenue) from marts.revenue_daily"


def lines(count: int, *, price: str = "10.00", start: int = 0) -> str:
    """Orders of one line each, one a day of January and on."""
    return HEADER + "".join(
        f"O{n:05},P{n % 7},C{n % 5},Thing {n % 7},Hats,Region {n % 3},"
        f"2024-{n % 12 + 1:02}-{n % 28 + 1:02},1,{price}\n"
        for n in range(start, start + count)
    )


def test_the_first_build_makes_keys_foreign_keys_and_indexes(workbench: Workbench) -> None:
    workbench.land(lines(10))
    workbench.build()
    tables = ", ".join(f"'{item.to}'::regclass" for item in workbench.declarations)
    constraints = workbench.rows(
        f"""
        select conrelid::regclass::text, contype::text, count(*)::integer from pg_constraint
        where contype in ('p', 'f') and conrelid in ({tables})
        group by 1, 2 order by 1, 2
        """
    )
    assert constraints == [
        ("core.dim_customer", "p", 1),
        ("core.dim_customer_record", "p", 1),
        ("core.dim_date", "p", 1),
        ("core.dim_product", "p", 1),
        ("core.dim_product_record", "p", 1),
        ("core.dim_region", "p", 1),
        ("core.dim_store", "p", 1),
        ("core.dim_unit_cost", "p", 1),
        ("core.fct_order_lines", "f", 5),
        ("core.fct_order_lines", "p", 1),
        ("core.fct_orders", "f", 2),
        ("core.fct_orders", "p", 1),
        ("core.fct_refunds", "p", 1),
        ("marts.customer_orders", "f", 3),
        ("marts.customer_orders", "p", 1),
        ("marts.customer_returns_monthly", "p", 1),
        ("marts.customers_daily", "f", 1),
        ("marts.customers_daily", "p", 1),
        ("marts.orders_by_region_daily", "f", 2),
        ("marts.orders_by_region_daily", "p", 1),
        ("marts.orders_daily", "f", 1),
        ("marts.orders_daily", "p", 1),
        ("marts.product_revenue_monthly", "f", 2),
        ("marts.product_revenue_monthly", "p", 1),
        ("marts.purchases_monthly", "p", 1),
        ("marts.revenue_anomalies", "f", 1),
        ("marts.revenue_anomalies", "p", 1),
        ("marts.revenue_by_product_monthly", "f", 1),
        ("marts.revenue_by_product_monthly", "p", 1),
        ("marts.revenue_by_region_monthly", "f", 2),
        ("marts.revenue_by_region_monthly", "p", 1),
        ("marts.revenue_daily", "f", 2),
        ("marts.revenue_daily", "p", 1),
        ("marts.revenue_monthly", "f", 2),
        ("marts.revenue_monthly", "p", 1),
    ]
    indexed = workbench.rows(
        "select indexdef from pg_indexes where tablename = 'fct_order_lines' and indexdef like '%(sale_date)'"
    )
    assert len(indexed) == 1
    # Nobody looks for the lines without a store.
    partial = "select indexdef from pg_indexes where indexdef like '%fct_order_lines%(store_id)%'"
    assert workbench.rows(partial)[0][0].endswith("(store_id) WHERE (store_id IS NOT NULL)")


def test_a_full_build_gives_a_table_the_key_and_the_indexes_that_its_model_declares(
    workbench: Workbench,
) -> None:
    workbench.land(lines(10))
    workbench.build()
    indexes = """
        select regexp_replace(indexdef, 'INDEX \\S+ ON ', '') from pg_indexes
        where schemaname in ('core', 'marts') order by 1
    """
    declared = workbench.rows(indexes)
    for statement in (
        "alter table marts.customer_orders drop constraint customer_orders_pkey",
        "alter table marts.customer_orders add primary key (customer_id, source, order_id)",
        "create index on core.fct_order_lines (product_key, sale_date)",
        "drop index core.fct_order_lines_product_id_idx",
        "drop index core.fct_order_lines_store_id_idx",
        "create index on core.fct_order_lines (store_id)",
    ):
        workbench.connection.execute(statement)
    assert workbench.rows(indexes) != declared
    publication = workbench.build(full=True)
    assert workbench.rows(indexes) == declared
    assert sum(sum(counts.values()) for counts in publication.rows_changed.values()) == 0


def test_a_full_build_waits_for_no_reader_to_forbid_nulls_again(workbench: Workbench) -> None:
    workbench.land(lines(10))
    workbench.build()
    is_forbidden = """
        select attnotnull from pg_attribute
        where attrelid = 'core.dim_region'::regclass and attname = 'line_count'
    """
    workbench.connection.execute("alter table core.dim_region alter line_count drop not null")
    with connect(workbench.warehouse.urls.reader) as reader:
        reader.execute("select * from core.dim_region")
        workbench.build(full=True)
    assert workbench.rows(is_forbidden) == [(False,)]
    workbench.build(full=True)
    assert workbench.rows(is_forbidden) == [(True,)]
    assert workbench.rows("show lock_timeout") == [("0",)]


def test_a_product_whose_latest_line_is_gone_takes_the_latest_of_the_others(workbench: Workbench) -> None:
    days = ("2024-01-01", "2024-03-01", "2024-02-01")
    sold = [f"O{n},P1,C1,Thing,Hats,Asia,{day},1,10.00\n" for n, day in enumerate(days)]
    workbench.land(HEADER + "".join(sold), mode="overwrite")
    workbench.build()
    last = "select last_sale_date::text, last_row_number, line_count from core.dim_product"
    assert workbench.rows(last) == [("2024-03-01", 3, 3)]
    workbench.land(HEADER + sold[0] + sold[2], mode="overwrite", force=True)
    assert not workbench.build().is_full
    assert workbench.rows(last) == [("2024-02-01", 4, 2)]


def test_a_correction_rewrites_only_the_rows_that_it_changes(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    workbench.land(lines(100, price="12.00"))
    publication = workbench.build()
    assert not publication.is_full
    assert (publication.lines_added, publication.lines_removed) == (100, 100)
    assert publication.net_revenue_after - publication.net_revenue_before == Decimal(200)
    changed = {table: counts for table, counts in publication.rows_changed.items() if any(counts.values())}
    assert changed["core.fct_order_lines"] == {"written": 100, "deleted": 0}
    assert changed["core.fct_orders"] == {"written": 100, "deleted": 0}
    # A price is no attribute of a dimension; but a product knows which line was its latest.
    assert changed.pop("core.dim_product") == {"written": 7, "deleted": 0}
    assert sorted(changed) == [
        "core.fct_order_lines",
        "core.fct_orders",
        "marts.product_revenue_monthly",
        "marts.revenue_anomalies",
        "marts.revenue_by_product_monthly",
        "marts.revenue_by_region_monthly",
        "marts.revenue_daily",
        "marts.revenue_monthly",
    ]


def test_a_new_order_of_a_customer_of_many_orders_reads_and_writes_no_earlier_ones(
    workbench: Workbench,
) -> None:
    workbench.land(lines(1000))
    workbench.build()
    # C0 has two hundred orders, and the newest of all days now.
    workbench.land(HEADER + "LATE,P1,C0,Thing 1,Hats,Region 1,2025-01-01,1,10.00\n")
    workbench.build()
    assert workbench.rows("select order_id from candidate.customer_orders") == [("LATE",)]
    days = "previous_order_date::text, second_previous_order_date::text"
    assert workbench.rows(f"select {days} from marts.customer_orders where order_id = 'LATE'") == [
        ("2024-12-28", "2024-12-28")
    ]


def test_the_same_lines_in_another_delivery_change_nothing(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    workbench.land(lines(150, start=50))
    publication = workbench.build()
    assert sum(sum(counts.values()) for counts in publication.rows_changed.values()) == 0


def test_a_large_delivery_is_built_whole_and_a_small_one_as_a_change(workbench: Workbench) -> None:
    workbench.land(lines(100))
    assert workbench.build().is_full
    workbench.land(lines(25, start=100))
    assert not workbench.build().is_full
    workbench.land(lines(32, start=125))
    assert workbench.build().is_full


def test_a_failed_audit_publishes_nothing_and_shows_the_rows(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    results = workbench.land(lines(10, start=1000))
    # A row lost behind landing's back.
    workbench.connection.execute(
        "delete from raw.order_lines where batch_id = %s and row_number = 5", (results[0].batch_id,)
    )
    assert workbench.start() is not None
    failed = [result for result in workbench.run_dbt() if not result.passed]
    [balance] = [result for result in failed if result.status == "fail"]
    assert balance.name == "batches_balance_stg_order_lines_"
    assert failing_rows(workbench.connection, balance) == [
        {
            "batch_id": str(results[0].batch_id),
            "rows_read": "10",
            "rows_accepted": "10",
            "rows_unchanged": "0",
            "rows_in_raw": "9",
            "rows_quarantined": "0",
            "rows_in_quarantine": "0",
        }
    ]
    assert workbench.rows(NET) == [(Decimal(10000),)]


def test_a_broken_check_constraint_shows_the_rows_that_break_it(workbench: Workbench) -> None:
    workbench.land(lines(100))
    workbench.build()
    # Money that no line has, which a delta adds its changes to.
    workbench.connection.execute(
        "update marts.revenue_daily set net_revenue = net_revenue + 1 where sale_date = '2024-01-01'"
    )
    workbench.land(lines(1, price="12.00"))
    assert workbench.start() is not None
    [broken] = [result for result in workbench.run_dbt() if result.status in ("error", "fail")]
    assert (broken.kind, broken.name) == ("model", "revenue_daily")
    assert 'check constraint "money_identity"' in (broken.message or "")
    # The two lines of that day, one of which costs two more now.
    expected = {
        "sale_date": "2024-01-01",
        "line_count": "2",
        "gross_revenue": "22.000000000000",
        "discounts": "0.000000000000",
        "returns": "0.000000000000",
        "net_revenue": "23.000000000000",
    }
    [row] = failing_rows(workbench.connection, broken)
    assert {name: row[name] for name in expected} == expected


def test_the_candidate_of_another_build_is_not_published(workbench: Workbench) -> None:
    workbench.land(lines(10))
    mine = workbench.start()
    assert mine is not None
    theirs = workbench.start()
    assert theirs is not None
    workbench.run_dbt()
    with pytest.raises(PublishError, match=f"holds build {theirs.build_id}, not build {mine.build_id}"):
        publish(workbench.connection, mine, workbench.declarations)
    assert workbench.rows("select count(*) from core.fct_order_lines") == [(0,)]
    publish(workbench.connection, theirs, workbench.declarations)
    assert workbench.rows(NET) == [(Decimal(100),)]


def test_a_publish_that_breaks_off_changes_nothing(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    workbench.land(lines(10, price="99.00"))
    build = workbench.start()
    assert build is not None
    workbench.run_dbt()
    # The last table of the order refuses, after all others were written.
    workbench.connection.execute("alter table core.fct_order_lines add check (unit_price < 50)")
    with pytest.raises(psycopg.errors.CheckViolation):
        publish(workbench.connection, build, workbench.declarations)
    assert workbench.rows(NET) == [(Decimal(10000),)]
    assert workbench.rows("select sum(net_revenue) from core.fct_orders") == [(Decimal(10000),)]
    assert workbench.rows("select status from core.builds order by build_id") == [
        ("published",),
        ("running",),
    ]
    close_interrupted_builds(workbench.connection)
    assert workbench.rows("select status from core.builds order by build_id") == [("published",), ("failed",)]


def test_an_open_transaction_keeps_its_numbers_across_a_full_publish(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    with connect(workbench.warehouse.urls.reader) as reader:
        reader.execute("set transaction isolation level repeatable read")
        assert reader.execute(NET).fetchone() == (Decimal(10000),)
        workbench.land(lines(900, price="20.00"))
        assert workbench.build(full=True).net_revenue_after == Decimal(19000)
        assert reader.execute(NET).fetchone() == (Decimal(10000),)
        assert reader.execute("select sum(net_revenue) from core.fct_order_lines").fetchone() == (
            Decimal(10000),
        )
        assert reader.execute(
            "select max(build_id) from core.builds where status = 'published'"
        ).fetchone() == (1,)
    assert workbench.rows(NET) == [(Decimal(19000),)]


def test_a_build_says_what_it_changed_by_day_and_delivery(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    [batch] = workbench.land(lines(1, price="12.50"))
    publication = workbench.build()
    changes = workbench.rows(
        f"select sale_date::text, batch_id, lines_added, lines_removed, net_revenue from core.build_changes "
        f"where build_id = {publication.build_id}"
    )
    assert changes == [("2024-01-01", batch.batch_id, 1, 1, Decimal("2.5"))]


def test_the_sample_leaves_in_the_build_that_brings_other_data(workbench: Workbench) -> None:
    workbench.land(lines(100), source="sample")
    workbench.build()
    workbench.land(lines(3))
    build = workbench.start()
    assert build is not None
    assert build.sample_retired
    workbench.run_dbt()
    publish(workbench.connection, build, workbench.declarations)
    assert workbench.rows("select source, sum(line_count)::integer from marts.revenue_daily group by 1") == [
        ("default", 3)
    ]
    # Loaded again by hand it is data like any other.
    assert workbench.land(lines(100), source="sample")[0].status == "landed"
    workbench.build()
    assert workbench.rows(NET) == [(Decimal(1030),)]


def test_nothing_new_is_no_build(workbench: Workbench) -> None:
    assert workbench.start() is None
    assert workbench.start(full=True) is None
    workbench.land(lines(3))
    workbench.build()
    assert workbench.start() is None


def test_another_dbt_project_than_the_one_that_published_is_a_full_build(workbench: Workbench) -> None:
    workbench.land(lines(1000))
    workbench.build()
    assert workbench.start() is None
    workbench.connection.execute("update core.builds set project_hash = 'older'")
    assert workbench.build().is_full
    assert workbench.start() is None


def test_a_column_new_in_a_contract_is_added_and_filled_and_one_that_left_is_dropped_when_published(
    workbench: Workbench,
) -> None:
    workbench.land(lines(1000))
    workbench.build()
    workbench.connection.execute("update core.builds set project_hash = 'older'")
    workbench.connection.execute("alter table core.dim_product drop column current_name")
    workbench.connection.execute("alter table core.dim_region add column motto text")
    workbench.land(lines(1, start=1000))
    # A build that comes to nothing leaves what readers have, and the next one is full again.
    assert workbench.start() is not None
    assert workbench.rows("select count(motto), count(*) from core.dim_region") == [(0, 3)]
    publication = workbench.build()
    assert publication.is_full
    assert workbench.rows("select current_name from core.dim_product order by 1 limit 1") == [("Thing 0",)]
    columns = workbench.rows(
        """
        select column_name from information_schema.columns
        where table_schema = 'core' and table_name = 'dim_region'
        """
    )
    assert sorted(columns) == [("line_count",), ("region",)]
