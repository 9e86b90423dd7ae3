"""From a refresh that is asked for to its numbers being visible, on a running Tillhouse, part by part."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.sales import write_history, write_new_lines
from benchmarks.turns import ROUNDS
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.embedded import EmbeddedServer
from tests.e2e.conftest import Stack, running_stack, tillhouse

NEW_LINES = 100
AIM_SECONDS = 5.0

# What a worker imports that is started as Dagster does by default, before its run can begin.
DEFAULT_START = "import dagster._grpc.impl, dagster_postgres, pipeline.definitions, dbt.cli.main"
# Dagster looks at its queue once a second.
DEFAULT_QUEUE_SECONDS = 0.5

# Between which moments; dbt and publish say themselves how long they took.
STAGES = {
    "the API writes its row and calls Dagster": ("request", "PIPELINE_ENQUEUED"),
    "Dagster's queue": ("PIPELINE_ENQUEUED", "PIPELINE_STARTING"),
    "the worker starts": ("PIPELINE_STARTING", "land_order_lines"),
    "landing": ("land_order_lines", "plan_build"),
    "plan": ("plan_build", "dbt_models"),
    "dbt, publish, and until an answer shows it": ("dbt_models", "visible"),
}


def measure(_server: EmbeddedServer, _folder: Path, rows: int) -> list[Figure]:
    """Refreshes of 100 new lines on a warehouse of ``rows`` lines, each beside a default start-up."""
    with tempfile.TemporaryDirectory(prefix="tillhouse-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        history = home / "history.csv"
        write_history(history, rows=rows, per_day=max(1, rows // 365))
        with running_stack(home) as stack:
            loaded = tillhouse(home, "load", str(history), "--json")
            assert loaded.returncode == 0, loaded.stderr
            numbers = count()
            rounds, starts = [], []
            # The first one parses the dbt project for this warehouse, and is not counted.
            _refresh(stack, next(numbers))
            for _ in range(ROUNDS):
                rounds.append(_refresh(stack, next(numbers)))
                starts.append(_default_start(home))
    return _figures(rounds, starts, rows)


def _figures(rounds: Sequence[Mapping[str, float]], starts: Sequence[float], rows: int) -> list[Figure]:
    visible = median(times["visible"] - times["request"] for times in rounds)
    alone = median(starts)
    stages = {
        name: median(times[end] - times[begin] for times in rounds) for name, (begin, end) in STAGES.items()
    }
    stages |= {f"of which {name}": median(times[name] for times in rounds) for name in ("dbt", "publish")}
    what = f"POST /imports → visible, {NEW_LINES} new lines"
    return [
        Figure(what, f"{AIM_SECONDS:g} s", rows, visible, AIM_SECONDS, visible / AIM_SECONDS, "s", 1.0,
               "at most", parts=stages),
        Figure(what, "Dagster's queue, a worker's start and dbt's imports by default means", rows, visible,
               alone, visible / alone, "s", None, "at most"),
    ]  # fmt: skip


def _refresh(stack: Stack, number: int) -> dict[str, float]:
    """Unix times of one refresh's steps, by what begins then.

    The lines come with the request: the inbox's own sensor may take a file there before the request does.
    """
    path = stack.home / "new_lines.csv"
    write_new_lines(path, rows=NEW_LINES, days=30, number=number)
    with stack.api as api:
        before = api.get("/api/v1/revenue/total").json()["data"]
        times = {"request": time.time()}
        asked = api.post("/api/v1/imports", files={"file": (path.name, path.read_bytes(), "text/csv")})
        assert asked.status_code == 202, asked.text
        while api.get("/api/v1/revenue/total").json()["data"] == before:
            # Rarely enough for the limit of 1,200 requests a minute.
            time.sleep(0.1)
        times["visible"] = time.time()
        while (job := api.get(asked.headers["Location"]).json()["data"])["status"] == "running":
            time.sleep(0.1)
        assert job["status"] == "succeeded", job
        build = api.get("/api/v1/builds", params={"limit": 1}).json()["data"][0]
    took: dict[str, float] = build["seconds"]
    found = times | took | _run_times(stack, times["request"])
    _await_end(stack, job["dagster_run_id"])
    return found


def _run_times(stack: Stack, since: float) -> dict[str, float]:
    """When Dagster's run of the refresh was asked for, started, and began each of its steps."""
    with connect(database_urls(Settings(home=stack.home)).dagster) as connection:
        events = connection.execute(
            """
            select
                coalesce(step_key, dagster_event_type) as begins,
                extract(epoch from min(timestamp at time zone 'utc')) as at
            from event_logs
            where
                dagster_event_type in ('PIPELINE_ENQUEUED', 'PIPELINE_STARTING', 'STEP_START')
                and timestamp at time zone 'utc' >= to_timestamp(%s)
            group by begins
            """,
            (since,),
        ).fetchall()
    return {name: float(at) for name, at in events}


def _await_end(stack: Stack, run_id: str) -> None:
    """Wait for what a refresh does after its numbers are visible: the next one would wait in the queue."""
    with connect(database_urls(Settings(home=stack.home)).dagster, autocommit=True) as connection:
        while connection.execute(
            "select status in ('STARTED', 'STARTING') from runs where run_id = %s", (run_id,)
        ).fetchone() == (True,):
            time.sleep(0.1)


def _default_start(home: Path) -> float:
    started = time.perf_counter()
    environment = {"TILLHOUSE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", DEFAULT_START], check=True, env=environment)
    return time.perf_counter() - started + DEFAULT_QUEUE_SECONDS
