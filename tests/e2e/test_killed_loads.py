"""``kill -9`` at twenty random points of load and build; then the same again, to the end."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

KILLS = 20
TABLES = {
    "core.fct_order_lines": "count(*)",
    "core.fct_orders": "sum(line_count)",
    "marts.revenue_daily": "sum(line_count)",
    "marts.product_revenue_monthly": "sum(line_count)",
}
HEADER = (
    "Order ID,Product ID,Customer ID,Product Name,Category,Region,Date of Sale,Quantity Sold,Unit Price\n"
)


def row(n: int, price: str) -> str:
    day = f"2023-{n % 12 + 1:02}-{n % 28 + 1:02}"
    return f"O{n:06},P{n % 90},C{n % 700},Thing {n % 90},Hats,Region {n % 4},{day},{n % 3 + 1},{price}\n"


def value(n: int, price: str) -> Decimal:
    return (n % 3 + 1) * Decimal(price)


@pytest.mark.timeout(900)
def test_a_load_killed_anywhere_and_run_again_gives_exactly_the_right_numbers(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    dice = random.Random(20)
    steps = [
        # (options, (first, last, price) of each stretch of lines, broken rows at the end)
        ([], [(0, 30_000, "10.00")], 7),
        ([], [(29_000, 31_000, "12.50")], 3),
        (["--mode", "overwrite"], [(0, 28_000, "10.00"), (28_000, 31_500, "9.99")], 5),
    ]
    figures = [(Decimal(0), 0)]
    prices: dict[int, str] = {}
    kills = 0
    for number, (options, stretches, broken) in enumerate(steps):
        path = tmp_path / f"delivery_{number}.csv"
        path.write_text(
            HEADER
            + "".join(row(n, price) for first, last, price in stretches for n in range(first, last))
            + "".join(f"B{n},P1,,,,,2023-01-01,zero,1\n" for n in range(broken))
        )
        if "--mode" in options:
            prices.clear()
        prices.update({n: price for first, last, price in stretches for n in range(first, last)})
        after = (sum((value(n, price) for n, price in prices.items()), Decimal(0)), len(prices))
        command = ["load", str(path), "--json", *options]
        longest = 4.0
        while kills < KILLS * (number + 1) // len(steps):
            if run(warehouse, command, kill_after=dice.uniform(0.0, longest)) is None:
                kills += 1
            else:
                # The load was quicker than its killer: that was none.
                longest /= 2
            assert published(warehouse) in (figures[-1], after)
            assert_accounts_balance(warehouse)
        report = run(warehouse, command)
        assert report is not None
        assert report["status"] == "succeeded"
        assert published(warehouse) == after
        assert_accounts_balance(warehouse)
        figures.append(after)
    assert kills == KILLS
    report = run(warehouse, ["refresh", "--full", "--json"])
    assert report is not None
    changed = {"lines_added", "lines_removed"}
    assert {name: report["build"][name] for name in changed} == {"lines_added": 0, "lines_removed": 0}
    assert published(warehouse) == figures[-1]


def run(warehouse: Warehouse, command: list[str], kill_after: float | None = None) -> dict[str, Any] | None:
    """Run a command to its end, or kill it; its report, or None when it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.loading", *command],
        env=os.environ | warehouse.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    killer = threading.Timer(kill_after or 0, process.send_signal, [signal.SIGKILL])
    if kill_after is not None:
        killer.start()
    output, _ = process.communicate("go\n")
    killer.cancel()
    if process.returncode == -signal.SIGKILL:
        return None
    assert process.returncode == 0, output
    report: dict[str, Any] = json.loads(output)
    return report


def published(warehouse: Warehouse) -> tuple[Decimal, int]:
    """Net revenue and lines, which must be the same in the fact and in every rollup."""
    with connect(warehouse.urls.reader) as reader:
        if reader.execute("select to_regclass('core.fct_order_lines')").fetchone() == (None,):
            return Decimal(0), 0
        figures = {
            reader.execute(
                f"select coalesce(sum(net_revenue), 0), coalesce({lines}, 0) from {table}"
            ).fetchone()
            for table, lines in TABLES.items()
        }
    [(revenue, lines)] = (row for row in figures if row is not None)
    return revenue, int(lines)


def assert_accounts_balance(warehouse: Warehouse) -> None:
    """Every row of a landed batch is in exactly one place, and no other batch has accepted rows."""
    with connect(warehouse.urls.owner) as owner:
        unbalanced = owner.execute(
            """
            select batch_id, status from raw.batches
            where
                (select count(*) from raw.order_lines as lines where lines.batch_id = batches.batch_id)
                    <> case when status = 'landed' then rows_accepted else 0 end
                or status = 'landed' and (
                    rows_read <> rows_accepted + rows_quarantined
                    or (select count(*) from raw.quarantine as q where q.batch_id = batches.batch_id)
                        <> rows_quarantined
                )
            """
        ).fetchall()
    assert unbalanced == []
