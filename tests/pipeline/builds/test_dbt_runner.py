"""dbt, as it runs in our process."""

import sys
from contextlib import suppress
from threading import RLock
from types import SimpleNamespace
from typing import Any

import psycopg2  # type: ignore[import-untyped]
import pytest
from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.postgres.connections import PostgresConnectionManager

from pipeline.builds.dbt_connections import keep_connections
from pipeline.builds.dbt_runner import dbt_home, parse_ahead, run_dbt
from pipeline.settings import Settings
from tests.pipeline.builds.conftest import Workbench


def test_dbt_writes_down_nothing_of_our_command_line(
    workbench: Workbench, dbt_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = ["tillhouse", "load", "https://me:topsecret@shop.test/sales.csv"]
    monkeypatch.setattr(sys, "argv", ours)
    results = dbt_home(dbt_settings) / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    run_dbt(["compile", "--select", "stg_order_lines"], dbt_settings, workbench.warehouse.urls.owner)
    written = results.read_text(encoding="utf-8")
    assert "dbt compile --select stg_order_lines" in written
    assert "topsecret" not in written
    assert sys.argv is ours


def test_a_project_that_was_read_ahead_is_not_read_again(
    workbench: Workbench, dbt_settings: Settings
) -> None:
    owner = workbench.warehouse.urls.owner
    parsed = dbt_home(dbt_settings) / "target" / "partial_parse.msgpack"
    parse_ahead(dbt_settings, owner)
    parsed.unlink()
    # What dbt reads, it leaves for the next time.
    run_dbt(["compile", "--select", "stg_order_lines"], dbt_settings, owner)
    assert not parsed.exists()
    run_dbt(["compile", "--select", "stg_order_lines"], dbt_settings, owner)
    assert parsed.exists()


def test_dbt_keeps_its_connections_from_one_model_to_the_next(
    workbench: Workbench, dbt_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.land("Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\nO1,P1,2024-01-01,1,1\n")
    workbench.start()
    opened: list[Any] = []
    connect = psycopg2.connect

    def count(*args: Any, **settings: Any) -> Any:
        opened.append(connect(*args, **settings))
        return opened[-1]

    monkeypatch.setattr(psycopg2, "connect", count)
    results = run_dbt(["run", "--select", "staging"], dbt_settings, workbench.warehouse.urls.owner)
    assert len(results) == 11
    # One for each of dbt's two threads, one for what it looks up before.
    assert len(opened) <= 3
    assert [connection.closed for connection in opened] == [1] * len(opened)


def test_dbt_keeps_no_connection_that_was_lost(workbench: Workbench) -> None:
    keep_connections()
    handle = psycopg2.connect(workbench.warehouse.urls.owner)
    workbench.connection.execute("select pg_terminate_backend(%s)", (handle.get_backend_pid(),))
    connection: Any = SimpleNamespace(
        name="a model",
        state=ConnectionState.OPEN,
        transaction_open=True,
        handle=handle,
        credentials=SimpleNamespace(autocommit=False),
    )
    manager: Any = PostgresConnectionManager.__new__(PostgresConnectionManager)
    manager.lock = RLock()
    manager.thread_connections = {manager.get_thread_identifier(): connection}
    with suppress(psycopg2.Error):
        handle.cursor().execute("select 1")
    manager.release()
    assert connection.state == ConnectionState.CLOSED
