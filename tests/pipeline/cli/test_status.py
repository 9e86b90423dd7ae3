"""`tillhouse status` and `tillhouse doctor`."""

import json
import socket
from pathlib import Path

import pytest

from pipeline.cli.checks import check_packages
from pipeline.supervisor.state import ServiceState, own_state, write_state
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.cli.commands import tillhouse


def test_status_of_an_empty_folder_starts_and_makes_nothing(home: Path) -> None:
    environment = {"TILLHOUSE_HOME": str(home / "new")}
    result = tillhouse("status", environment=environment)
    assert result.returncode == 0
    assert "Services: stopped (start them with `tillhouse up`)" in result.stdout
    assert "Database: embedded, stopped" in result.stdout
    assert json.loads(tillhouse("status", "--json", environment=environment).stdout)["database"] == {
        "kind": "embedded",
        "is_running": False,
        "data_folder": None,
        "pid": None,
        "problem": None,
    }
    assert not (home / "new").exists()


def test_status_shows_services_builds_batches_and_how_far_the_data_reaches(warehouse: Warehouse) -> None:
    home = warehouse.settings.home
    state = own_state().model_copy(
        update={
            "status": "ready",
            "api_url": "http://127.0.0.1:8001",
            "dagster_url": "http://127.0.0.1:3000",
            "services": [
                ServiceState(name="api", status="ready", pid=4711, url="http://127.0.0.1:8001", log="api.log")
            ],
        }
    )
    write_state(home, state)
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            """
            insert into raw.batches (
                batch_id, call_id, source, mode, status, file_name,
                rows_read, rows_accepted, rows_quarantined, requested_by
            )
            values (1, 1, 'default', 'append', 'landed', 'sales[red].csv', 12345, 12340, 5, 'cli')
            """
        )
        connection.execute(
            """
            insert into core.builds (status, is_full, data_as_of, built_at, requested_by)
            values ('published', true, '2024-12-30', '2025-01-01 02:00+00', 'cli')
            """
        )
        connection.execute("insert into core.build_batches values (1, 1)")
        connection.execute("create table marts.revenue_daily (sale_date date)")
        connection.execute("insert into marts.revenue_daily values ('2024-01-05'), ('2024-12-30')")
    result = tillhouse("status", environment=warehouse.environment)
    assert result.returncode == 0
    assert (
        "Data:     sales from 2024-01-05 to 2024-12-30, published by build 1 at 2025-01-01 02:00+00:00"
        in result.stdout
    )
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["api", "ready", "4711", "0", "http://127.0.0.1:8001"] in rows
    assert ["1", "landed", "default", "append", "sales[red].csv", "12,345", "12,340", "5", "1", "–"] in rows
    content = json.loads(tillhouse("status", "--json", environment=warehouse.environment).stdout)
    assert content["status"] == "ready"
    assert content["api_url"] == "http://127.0.0.1:8001"
    assert content["data"] == {
        "build_id": 1,
        "data_as_of": "2024-12-30",
        "built_at": "2025-01-01T02:00:00+00:00",
        "first_sale_date": "2024-01-05",
        "last_sale_date": "2024-12-30",
    }
    assert [batch["build_id"] for batch in content["batches"]] == [1]


def test_status_says_when_the_database_is_away(home: Path) -> None:
    environment = {
        "TILLHOUSE_HOME": str(home),
        "DATABASE_URL": "postgresql://boss:geheim@127.0.0.1:1/shop",
        "TILLHOUSE_READER_DATABASE_URL": "postgresql://reader:geheim@127.0.0.1:1/shop",
        "TILLHOUSE_APP_DATABASE_URL": "postgresql://app:geheim@127.0.0.1:1/shop",
    }
    result = tillhouse("status", environment=environment)
    assert result.returncode == 0
    assert "Database: external, stopped" in result.stdout
    assert "Connection refused" in result.stdout
    assert "geheim" not in result.stdout


def test_doctor_finds_nothing_wrong_with_a_prepared_warehouse(warehouse: Warehouse) -> None:
    result = tillhouse("doctor", "--json", environment=warehouse.environment)
    content = json.loads(result.stdout)
    assert [check["name"] for check in content["checks"] if not check["is_ok"]] == []
    assert (result.returncode, content["ok"]) == (0, True)


def test_doctor_names_each_problem_with_what_to_do(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = tillhouse(
            "doctor",
            environment={
                "TILLHOUSE_HOME": str(home),
                "TILLHOUSE_API_PORT": str(server.getsockname()[1]),
                "DATABASE_URL": "postgresql://boss@127.0.0.1:1/shop",
            },
        )
    assert result.returncode == 1
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    found = {name: (mark, rest) for mark, name, rest in lines}
    assert found["ports"][0] == "problem"
    assert "is taken by another program" in found["ports"][1]
    assert found["Postgres"][0] == "problem"
    assert found["Python"][0] == "ok"


def test_doctor_finds_passwords_that_others_can_read(home: Path) -> None:
    (home / "secrets").mkdir(mode=0o755)
    result = tillhouse("doctor", environment={"TILLHOUSE_HOME": str(home)})
    assert result.returncode == 1
    assert f"run: chmod -R go-rwx {home / 'secrets'}" in result.stdout


@pytest.mark.parametrize(
    ("line", "is_ok"),
    [
        ("click==0.0.1 \\", False),
        ("no-such-package==1.0 \\", False),
        ("no-such-package==1.0 ; sys_platform == 'amiga' \\", True),
        ("    --hash=sha256:00", True),
    ],
)
def test_doctor_compares_the_packages_with_the_lock(home: Path, line: str, is_ok: bool) -> None:
    lock = home / "requirements.lock"
    lock.write_text(line + "\n")
    check = check_packages(lock)
    assert check.is_ok is is_ok
    assert check.advice == ("" if is_ok else "run `make install`")
