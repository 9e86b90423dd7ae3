"""One refresh at a time."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline.warehouse.connect import connect
from pipeline.warehouse.locks import RefreshBusy, refresh_lock
from tests.conftest import Warehouse


def test_a_second_refresh_is_refused_while_the_first_runs_and_taken_afterwards(warehouse: Warehouse) -> None:
    with refresh_lock(warehouse.urls.owner):
        with (
            pytest.raises(RefreshBusy, match="another refresh is running"),
            refresh_lock(warehouse.urls.owner, wait=False),
        ):
            pytest.fail("two at a time")
        with connect(warehouse.urls.owner) as connection:
            assert connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() "
                "and application_name = 'tillhouse-lock'"
            ).fetchone() == (1,)
    with refresh_lock(warehouse.urls.owner, wait=False):
        pass


def test_who_waits_is_told_once_and_goes_on_when_the_other_is_done(warehouse: Warehouse) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def on_wait() -> None:
        order.append("waits")
        waiting.set()

    def second() -> None:
        with refresh_lock(warehouse.urls.owner, on_wait=on_wait):
            order.append("second")

    thread = threading.Thread(target=second)
    with refresh_lock(warehouse.urls.owner):
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["waits", "first", "second"]


def test_an_error_inside_frees_the_lock(warehouse: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), refresh_lock(warehouse.urls.owner):
        raise ZeroDivisionError
    with refresh_lock(warehouse.urls.owner, wait=False):
        pass


def test_the_lock_of_a_killed_process_is_free_at_once(warehouse: Warehouse) -> None:
    program = (
        "import sys, time\n"
        "from pipeline.warehouse.locks import refresh_lock\n"
        "with refresh_lock(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(1000)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, warehouse.urls.owner],
        stdout=subprocess.PIPE,
        cwd=PROJECT_ROOT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    waited = threading.Event()
    with refresh_lock(warehouse.urls.owner, on_wait=waited.set):
        pass
