"""Publishing a first build, against copying its tables with keys and nothing else."""

import time
from statistics import median
from typing import Any

from psycopg import sql

from pipeline.builds.publish import publish
from pipeline.sample import write_sample
from tests.pipeline.builds.conftest import Workbench

LINES = 20_000
ROUNDS = 5
# Publishing makes foreign keys and indexes too, and looks for what is there: two to three times the copying.
USUAL_RATIO = 2.5


def test_publishing_costs_a_few_times_what_copying_its_tables_does(
    workbench: Workbench, benchmark: Any
) -> None:
    sample = workbench.folder / "sample.csv"
    write_sample(sample, rows=LINES, seed=1)
    workbench.land(sample.read_text())
    build = workbench.start()
    assert build is not None
    workbench.run_dbt()

    def publish_and_undo() -> float:
        started = time.perf_counter()
        with workbench.connection.transaction(force_rollback=True):
            publication = publish(workbench.connection, build, workbench.declarations)
            assert publication.lines_added == LINES
        return time.perf_counter() - started

    benchmark.pedantic(publish_and_undo, rounds=1)
    both = [(publish_and_undo(), copy_and_undo(workbench)) for _ in range(ROUNDS)]
    publishing, copying = (median(seconds) for seconds in zip(*both, strict=True))
    assert publishing < 10 * USUAL_RATIO * copying


def copy_and_undo(workbench: Workbench) -> float:
    """Seconds that plain SQL takes for the same rows and primary keys."""
    started = time.perf_counter()
    with workbench.connection.transaction(force_rollback=True):
        for item in workbench.declarations:
            copy = sql.Identifier(f"copy_of_{item.table}")
            key = sql.SQL(", ").join(map(sql.Identifier, item.key))
            workbench.connection.execute(
                sql.SQL("create table {} as select * from {}").format(copy, item.candidate)
            )
            workbench.connection.execute(sql.SQL("alter table {} add primary key ({})").format(copy, key))
        return time.perf_counter() - started
