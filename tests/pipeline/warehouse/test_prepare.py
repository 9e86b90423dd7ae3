"""The warehouse made ready: tables, roles and their rights."""

import psycopg
import pytest

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.migrate import newest_revision
from pipeline.warehouse.prepare import ensure_warehouse
from tests.conftest import Warehouse


def silent(line: str) -> None:
    """Say nothing."""


def test_a_fresh_database_is_at_the_newest_migration(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        row = connection.execute("select version_num from migrations.alembic_version").fetchone()
        assert row == (newest_revision(),)
        assert connection.execute("select count(*) from core.batches").fetchone() == (0,)


def test_preparing_again_changes_nothing(warehouse: Warehouse) -> None:
    rights = "select relacl::text from pg_class where relnamespace = 'core'::regnamespace order by oid"
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        before = connection.execute(rights).fetchall()
        ensure_warehouse(warehouse.settings, silent)
        assert connection.execute(rights).fetchall() == before


def test_the_reader_reads_core_and_marts_also_when_their_tables_are_made_later(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute("create table marts.revenue_daily (net_revenue numeric)")
        connection.execute("insert into marts.revenue_daily values (4712.5675)")
    with connect(warehouse.urls.reader) as connection:
        assert connection.execute("select net_revenue::text from marts.revenue_daily").fetchone() == (
            "4712.5675",
        )
        assert connection.execute("show statement_timeout").fetchone() == ("15s",)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from raw.customers",
        "select * from app.jobs",
        "insert into core.builds (status, is_full, requested_by) values ('published', true, 'me')",
        "create table core.mine (id int)",
        "create table public.mine (id int)",
    ],
)
def test_the_reader_may_do_nothing_else_even_after_leaving_read_only(
    warehouse: Warehouse, statement: str
) -> None:
    with connect(warehouse.urls.reader) as connection:
        connection.execute("set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_reader_starts_read_only(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.reader) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("create temporary table mine (id int)")


def test_the_service_writes_its_own_tables_and_deletes_nothing(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.app) as connection:
        connection.execute(
            "insert into app.jobs (kind, status, requested_by) values ('refresh', 'queued', 'api')"
        )
        connection.execute("update app.jobs set status = 'running'")
        assert connection.execute("select status from app.jobs").fetchall() == [("running",)]
    for statement in ("delete from app.jobs", "select * from core.builds", "select * from raw.batches"):
        with connect(warehouse.urls.app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_embedded_owner_is_no_superuser_and_readers_stay_out_of_dagsters_database(
    postgres_server: EmbeddedServer,
) -> None:
    urls = database_urls(Settings(home=postgres_server.home))
    with connect(urls.owner) as connection:
        assert connection.execute(
            "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone() == (False, False, False)
    with connect(urls.dagster) as connection:
        assert connection.execute(
            "select has_database_privilege('tillhouse_reader', 'tillhouse_dagster', 'connect')"
        ).fetchone() == (False,)
