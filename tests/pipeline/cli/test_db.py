"""`tillhouse db`."""

from pathlib import Path

from pipeline.supervisor.state import own_state, write_state
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.locks import refresh_lock
from tests.conftest import Warehouse
from tests.pipeline.cli.commands import tillhouse


def test_url_starts_the_server_and_prints_an_address_that_works(home: Path) -> None:
    result = tillhouse("db", "url", environment={"TILLHOUSE_HOME": str(home)})
    assert result.returncode == 0
    with connect(result.stdout.strip()) as connection:
        assert connection.execute("select current_user, current_database()").fetchone() == (
            "tillhouse",
            "tillhouse",
        )


def test_psql_runs_as_the_role_that_is_asked_for_and_keeps_the_password_out_of_its_arguments(
    warehouse: Warehouse,
) -> None:
    result = tillhouse(
        *("db", "psql", "--role", "reader", "-At", "-c"),
        "select current_user, (select count(*) from core.builds)",
        environment=warehouse.environment,
    )
    assert (result.returncode, result.stdout) == (0, "tillhouse_reader|0\n")


def test_reset_asks_first_and_then_removes_everything(home: Path) -> None:
    environment = {"TILLHOUSE_HOME": str(home)}
    url = tillhouse("db", "url", environment=environment).stdout.strip()
    with connect(url) as connection:
        connection.execute("create table raw.kept ()")
    data = EmbeddedServer(home).place.data
    refused = tillhouse("db", "reset", environment=environment, given="n\n")
    assert refused.returncode == 1
    assert EmbeddedServer(home).is_running()
    done = tillhouse("db", "reset", environment=environment, given="y\n")
    assert done.returncode == 0
    assert not data.exists()
    url = tillhouse("db", "url", environment=environment).stdout.strip()
    with connect(url) as connection:
        assert connection.execute("select to_regclass('raw.kept')").fetchone() == (None,)


def test_reset_and_stop_are_refused_while_the_services_run(home: Path) -> None:
    environment = {"TILLHOUSE_HOME": str(home)}
    tillhouse("db", "url", environment=environment)
    write_state(home, own_state())
    for command in (["reset", "--yes"], ["stop"]):
        result = tillhouse("db", *command, environment=environment)
        assert result.returncode == 1
        assert "run `tillhouse down` first" in result.stderr
    assert EmbeddedServer(home).is_running()


def test_reset_is_refused_while_a_refresh_runs(warehouse: Warehouse) -> None:
    with refresh_lock(warehouse.urls.owner):
        result = tillhouse("db", "reset", "--yes", environment=warehouse.environment)
    assert result.returncode == 1
    assert "another refresh is running" in result.stderr
    with connect(warehouse.urls.owner) as connection:
        assert connection.execute("select count(*) from raw.batches").fetchone() == (0,)


def test_reset_of_an_external_database_removes_its_tables_alone(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute("create schema theirs")
    assert tillhouse("db", "reset", "--yes", environment=warehouse.environment).returncode == 0
    with connect(warehouse.urls.owner) as connection:
        assert connection.execute("select to_regclass('raw.batches')").fetchone() == (None,)
        assert connection.execute("select to_regnamespace('theirs')::text").fetchone() == ("theirs",)


def test_stop_stops_the_embedded_server_and_no_other(home: Path, warehouse: Warehouse) -> None:
    environment = {"TILLHOUSE_HOME": str(home)}
    tillhouse("db", "url", environment=environment)
    assert tillhouse("db", "stop", environment=environment).stdout == "Stopped.\n"
    assert EmbeddedServer(home).process() is None
    assert tillhouse("db", "stop", environment=environment).stdout == "The database was not running.\n"
    refused = tillhouse("db", "stop", environment=warehouse.environment)
    assert refused.returncode == 1
    assert "that server is not ours to stop" in refused.stderr
