"""A running stack, as `tillhouse up` starts it: refreshes through the API, the inbox, and crashes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.conftest import Stack
from tests.pipeline.landing.files import SAMPLE

HEADER = (
    "Order ID,Product ID,Customer ID,Product Name,Category,Region,Date of Sale,Quantity Sold,Unit Price\n"
)
TAKEN_UP = ("running", "succeeded")
ENDED = ("succeeded", "failed", "canceled")

pytestmark = pytest.mark.timeout(600)


def lines(prefix: str, count: int, price: str = "10.00") -> str:
    return HEADER + "".join(
        f"{prefix}{n},P{n % 50},C{n % 90},Thing {n % 50},Category {n % 6},Region {n % 4},"
        f"2024-{n % 12 + 1:02}-{n % 28 + 1:02},1,{price}\n"
        for n in range(count)
    )


def drop(stack: Stack, name: str, text: str) -> None:
    """Put a file into the inbox as a careful sender does: by rename."""
    path = stack.home / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_text(text)
    draft.rename(path)


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def follow(stack: Stack, location: str, until: tuple[str, ...] = ENDED) -> dict[str, Any]:
    """Ask for a refresh until it is in one of these states."""
    job: dict[str, Any] = {}

    def arrived() -> bool:
        nonlocal job
        job = stack.api.get(location).json()["data"]
        return job["status"] in until

    wait_until(arrived, seconds=240)
    return job


def total(stack: Stack) -> str:
    return str(stack.api.get("/api/v1/revenue/total").json()["data"]["net_revenue"])


def runs(stack: Stack) -> int:
    return int(stack.rows("select count(*) from app.jobs")[0][0])


def test_a_loaded_file_is_answered_by_the_running_api(stack: Stack) -> None:
    loaded = stack.run("load", str(SAMPLE), "--json")
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout)["rows_accepted"] == 6
    answer = stack.api.get("/api/v1/revenue/total").json()["data"]
    assert (answer["net_revenue"], answer["total_revenue"]) == ("4712.5675", "4782.5675")
    regions = stack.api.get("/api/v1/revenue/by-region?start_date=2024-01-01&end_date=2024-12-31").json()
    assert {row["region"]: row["gross_revenue"] for row in regions["data"]} == {
        "Asia": "2777.97",
        "Europe": "1299.00",
        "North America": "349.99",
        "South America": "180.00",
    }


def test_ten_refreshes_asked_for_at_once_are_one_run_and_one_follow_up(stack: Stack) -> None:
    before = runs(stack)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: stack.api.post("/refresh"), range(10)))
    assert [answer.status_code for answer in answers] == [202] * 10
    [location] = {answer.headers["Location"] for answer in answers}
    assert runs(stack) - before == 1
    assert follow(stack, location)["status"] == "succeeded"

    # During a build whose batches are fixed, ten more share one follow-up.
    # (Which may be the inbox's own: on a busy machine it can take the file before the request does.)
    drop(stack, "during.csv", lines("D", 40_000))
    stack.api.post("/refresh")
    fixed = "select job_id from app.jobs where batches_fixed_at is not null and status = 'running'"
    wait_until(lambda: len(stack.rows(fixed)) == 1)
    [(running,)] = stack.rows(fixed)
    with ThreadPoolExecutor(10) as pool:
        later = list(pool.map(lambda _: stack.api.post("/refresh"), range(10)))
    assert [answer.status_code for answer in later] == [202] * 10
    [follow_up] = {answer.headers["Location"] for answer in later}
    assert follow_up.rsplit("/", 1)[1] != str(running)
    assert follow(stack, follow_up)["status"] == "succeeded"
    assert total(stack) == "404712.5675"


def test_a_file_dropped_into_a_folder_of_the_inbox_is_loaded_as_that_source(stack: Stack) -> None:
    drop(stack, "till/good.csv", lines("T", 10))
    drop(stack, "till/bad.csv", "Order ID,Region\n1,Asia\n")
    loaded, refused = stack.home / "loaded" / "till" / "good.csv", stack.home / "refused" / "till" / "bad.csv"
    wait_until(lambda: loaded.exists() and refused.exists())
    wait_until(lambda: "till" in {row["source"] for row in by_source(stack)})
    assert {row["source"]: row["net_revenue"] for row in by_source(stack)}["till"] == "100.00"
    note = Path(f"{refused}.txt").read_text()
    assert "quantity" in note.lower()
    assert list((stack.home / "inbox" / "till").iterdir()) == []


def by_source(stack: Stack) -> list[dict[str, Any]]:
    rows = stack.api.get("/api/v1/revenue?group_by=source").json()["data"]
    assert isinstance(rows, list)
    return rows


def test_a_run_whose_worker_is_killed_is_closed_and_tried_once_more(stack: Stack) -> None:
    before = Decimal(total(stack))
    drop(stack, "killed.csv", lines("K", 100_000, "1.00"))
    location = stack.api.post("/refresh").headers["Location"]
    # With a build planned, its first steps are done: the second try must not leave them out. (Whichever
    # run has taken the file: on a busy machine the inbox's own may be the first.)
    planned = "select 1 from app.jobs where status = 'running' and build_id is not null"
    wait_until(lambda: len(stack.rows(planned)) == 1)
    kill_run_worker(stack)
    assert follow(stack, location, until=("succeeded",))["status"] == "succeeded"
    wait_until(lambda: Decimal(total(stack)) == before + 100_000, seconds=240)


def kill_run_worker(stack: Stack) -> None:
    """SIGKILL the process that works on a run: the youngest child of the code location."""
    services = json.loads(stack.run("status", "--json").stdout)["services"]
    [location] = [service for service in services if service["name"] == "code-location"]
    # Runs are forked from a process that has imported what they need.
    [fork_server] = [
        child
        for child in psutil.Process(location["pid"]).children()
        if any("multiprocessing.forkserver" in part for part in child.cmdline())
    ]
    workers = fork_server.children()
    max(workers, key=lambda worker: worker.create_time()).kill()


def test_a_load_killed_in_its_terminal_holds_nobody_up(stack: Stack, tmp_path: Path) -> None:
    before = Decimal(total(stack))
    path = tmp_path / "terminal.csv"
    path.write_text(lines("X", 100_000, "1.00"))
    terminal = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "load", str(path)],
        env=os.environ | {"TILLHOUSE_HOME": str(stack.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    working = "select dagster_run_id from app.jobs where status = 'running' and requested_by = 'cli'"
    wait_until(lambda: len(stack.rows(working)) == 1)
    [(run_id,)] = stack.rows(working)
    terminal.kill()
    terminal.wait()
    location = stack.api.post("/refresh").headers["Location"]
    assert follow(stack, location)["status"] == "succeeded"
    outcome = "select status from app.jobs where dagster_run_id = %s"
    assert stack.rows(outcome, run_id) == [("failed",)]
    question = {"query": "query Q($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"}
    dagster = stack.services["dagster_url"]

    def run_status() -> str:
        answer = httpx.post(
            f"{dagster}/graphql", json=question | {"variables": {"id": run_id}}, trust_env=False
        )
        return str(answer.json()["data"]["runOrError"]["status"])

    wait_until(lambda: run_status() == "FAILURE", seconds=90)
    assert json.loads(stack.run("load", str(path), "--json").stdout)["status"] == "succeeded"
    assert Decimal(total(stack)) == before + 100_000


def test_with_dagster_gone_reads_answer_and_a_refresh_is_a_503(stack: Stack) -> None:
    services = json.loads(stack.run("status", "--json").stdout)["services"]
    [webserver] = [service for service in services if service["name"] == "dagster"]
    process = psutil.Process(webserver["pid"])
    process.suspend()
    try:
        assert stack.api.get("/api/v1/builds").status_code == 200
        refused = stack.api.post("/refresh")
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        process.resume()
    wait_until(lambda: stack.api.get("/readyz").status_code == 200)
