"""Landing a CSV against ``\\copy`` of the same file, as it stands, into text columns."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
from psycopg import sql

from benchmarks.figures import Figure
from benchmarks.psql import run_psql
from benchmarks.turns import in_turns
from pipeline.sample import write_sample
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Both ways in turns, each into a database of its own; and the peak of our process's memory."""
    csv = folder / "sales.csv"
    write_sample(csv, rows=rows, seed=1)
    peaks: list[int] = []

    def ours() -> float:
        with fresh_warehouse(server) as warehouse:
            said = land_aside(warehouse, csv)
        assert said["accepted"] == rows
        peaks.append(int(said["peak_bytes"]))
        return float(said["seconds"])

    def theirs() -> float:
        with fresh_warehouse(server) as warehouse:
            return copy_as_text(warehouse, csv)

    timings = in_turns({"ours": ours, "copy": theirs})
    ours_seconds, copy_seconds = timings["ours"].median, timings["copy"].median
    peak = max(peaks) / 2**20
    return [
        Figure(
            "landing a CSV, checked and split", "psql \\copy into text columns", rows, ours_seconds,
            copy_seconds, copy_seconds / ours_seconds, "s", 1.0, "at least",
        ),
        Figure(
            "peak memory of landing", "600 MB", rows, peak, 600.0, peak / 600.0, "MB", 1.0, "at most",
        ),
    ]  # fmt: skip


def land_aside(warehouse: Warehouse, csv: Path) -> dict[str, float]:
    """Land a file in a process of its own; what it says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.landing_process", warehouse.urls.owner, str(csv)],
        capture_output=True,
        text=True,
        check=True,
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


def copy_as_text(warehouse: Warehouse, csv: Path) -> float:
    """Seconds of psql's ``\\copy`` into a table whose columns are all text."""
    columns = pl.read_csv(csv, n_rows=1).columns
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create table as_it_stands ({})").format(
                sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in columns)
            )
        )
    return run_psql(warehouse.urls.owner, f"\\copy as_it_stands from '{csv}' (format csv, header)")
