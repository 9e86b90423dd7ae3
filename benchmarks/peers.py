"""Landing a CSV against other loaders of the same file into typed columns of the same server.

dlt and pandas live in an environment of their own, ``.venv-peers`` (the dependency group ``peers``), pgloader
is a system package. One that is not installed is said to be so.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
from psycopg import sql

from benchmarks.figures import Figure
from benchmarks.landing import land_aside
from benchmarks.peer_process import AMOUNTS, DATES, INTEGERS, PEERS
from benchmarks.turns import Timing, in_turns
from pipeline.sample import write_sample
from pipeline.settings import PROJECT_ROOT
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse

ROWS = 200_000
AIM = 15.0
_PYTHON = PROJECT_ROOT / ".venv-peers" / "bin" / "python"
_PEER_PROCESS = Path(__file__).with_name("peer_process.py")
_PGLOADER = """\
load csv from '{csv}' having fields ({fields})
into {url}?tablename=public.lines
target columns ({columns})
with skip header = 1, fields optionally enclosed by '"', fields terminated by ','
set client_min_messages to 'warning';
"""

Load = Callable[[Warehouse, Path], float]


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Ours and each installed peer in turns, each into a database of its own."""
    rows = min(rows, ROWS)
    csv = folder / "peers.csv"
    write_sample(csv, rows=rows, seed=1)
    peers = _peers()
    loads: dict[str, Load] = {"ours": _ours, **{name: load for name, load in peers.items() if load}}
    timings = in_turns({name: partial(_in_own_database, server, load, csv) for name, load in loads.items()})
    return [_figure(name, rows, timings["ours"], timings.get(name)) for name in peers]


def _figure(peer: str, rows: int, ours: Timing, theirs: Timing | None) -> Figure:
    return Figure(
        "landing a CSV, checked and split",
        peer,
        rows,
        ours.median,
        theirs.median if theirs else None,
        theirs.median / ours.median if theirs else None,
        "s",
        AIM,
        "at least",
        note="" if theirs else "not installed",
    )


def _peers() -> dict[str, Load | None]:
    """How each peer loads; None of one that is not installed."""
    by_python: dict[str, Load | None] = {
        name: partial(_by_python, name) if _have(modules) else None for name, (_, modules) in PEERS.items()
    }
    return {**by_python, "pgloader": _by_pgloader if shutil.which("pgloader") else None}


def _have(modules: tuple[str, ...]) -> bool:
    if not _PYTHON.exists():
        return False
    imports = f"import {', '.join(modules)}"
    return subprocess.run([_PYTHON, "-c", imports], capture_output=True).returncode == 0


def _in_own_database(server: EmbeddedServer, load: Load, csv: Path) -> float:
    with fresh_warehouse(server) as warehouse:
        return load(warehouse, csv)


def _ours(warehouse: Warehouse, csv: Path) -> float:
    return float(land_aside(warehouse, csv)["seconds"])


def _by_python(peer: str, warehouse: Warehouse, csv: Path) -> float:
    done = subprocess.run(
        [_PYTHON, _PEER_PROCESS, peer, warehouse.urls.owner, str(csv)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def _by_pgloader(warehouse: Warehouse, csv: Path) -> float:
    """Seconds of pgloader, which needs the table to be there."""
    titles = pl.read_csv(csv, n_rows=0).columns
    types = dict.fromkeys(INTEGERS, "integer") | dict.fromkeys(DATES, "date")
    types |= dict.fromkeys(AMOUNTS, "numeric(18, 6)")
    columns = {title.lower().replace(" ", "_"): types.get(title, "text") for title in titles}
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create table public.lines ({})").format(
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                    for name, kind in columns.items()
                )
            )
        )
        with tempfile.TemporaryDirectory() as folder:
            command = Path(folder) / "lines.load"
            fields = ", ".join(f"{name} [null if blanks]" for name in columns)
            url = warehouse.urls.owner
            command.write_text(_PGLOADER.format(csv=csv, fields=fields, url=url, columns=", ".join(columns)))
            started = time.perf_counter()
            subprocess.run(["pgloader", "--root-dir", folder, str(command)], check=True, capture_output=True)
            seconds = time.perf_counter() - started
        row = connection.execute("select count(*) from public.lines").fetchone()
    # It loads what it can, and says only in its log what it could not.
    assert row is not None
    assert row[0] == pl.scan_csv(csv, infer_schema=False).select(pl.len()).collect().item()
    return seconds
