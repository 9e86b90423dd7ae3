"""Landing beside a plain COPY of the same text: a slip of ten times is found, noise is not."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import polars as pl
from psycopg import sql

from pipeline.landing import LandingRequest, land
from pipeline.sample import write_sample
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

LINES = 20_000
ROUNDS = 3
# Some 6 where it was written: so small a file is mostly what a landing costs once.
AT_MOST = 60.0


def test_landing_takes_at_most_so_many_times_a_plain_copy(
    warehouse: Warehouse, tmp_path: Path, benchmark: Callable[..., float]
) -> None:
    ours, copies = [], []
    for number in range(ROUNDS):
        csv = tmp_path / f"{number}.csv"
        write_sample(csv, rows=LINES, seed=number)
        ours.append(_landed(warehouse, csv))
        copies.append(_copied(warehouse, csv))
    last = tmp_path / "last.csv"
    write_sample(last, rows=LINES, seed=ROUNDS)
    benchmark.pedantic(_landed, args=(warehouse, last), rounds=1)  # type: ignore[attr-defined]
    assert median(ours) <= AT_MOST * median(copies)


def _landed(warehouse: Warehouse, csv: Path) -> float:
    started = time.perf_counter()
    [result] = land(warehouse.urls.owner, LandingRequest((csv,)), lambda progress: None)
    assert result.rows_accepted == LINES
    return time.perf_counter() - started


def _copied(warehouse: Warehouse, csv: Path) -> float:
    columns = pl.read_csv(csv, n_rows=0).columns
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            sql.SQL("create temporary table as_it_stands ({})").format(
                sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in columns)
            )
        )
        started = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy("copy as_it_stands from stdin (format csv, header)") as copy,
        ):
            copy.write(csv.read_bytes())
        return time.perf_counter() - started
