"""The README's sample responses are parts of what the running API answers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient

from api.app import close, create_app
from api.dagster import Dagster
from pipeline.builds.plan import SAMPLE_SOURCE
from pipeline.warehouse.embedded import EmbeddedServer
from tests.api.accounts import PASSWORD, Accounts
from tests.api.fake_dagster import FakeDagster
from tests.conftest import Warehouse, fresh_warehouse
from tests.pipeline.landing.files import SAMPLE
from tests.test_docs import section

# Stands in a sample for what is left out.
REST = "…"
_ROW = re.compile(
    r"^\| (?P<method>GET|POST) \| `(?P<route>[^`]+)` \|[^|]*\| (?:202 )?`(?P<sample>\{[^|]+\})` \|",
    re.MULTILINE,
)
_BLOCK = re.compile(r"^`GET (?P<address>/[^`]+)`:\n\n```json\n(?P<sample>.*?)\n```", re.MULTILINE | re.DOTALL)
_API = section("## The API")
SAMPLES = {f"{method} {route}": sample for method, route, sample in _ROW.findall(_API)}
BLOCKS = dict(_BLOCK.findall(_API))
# 27 lines of which the last but one is broken.
MARCH = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\n" + "".join(
    f"M{day},P1,2024-03-{day if day != 26 else 32:02},1,1.00\n" for day in range(1, 28)
)
# What is sent; in the order in which the jobs run.
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/exports": {
        "json": {"path": "/api/v1/orders", "query": {"region": ["Asia"]}, "format": "csv"},
    },
    "/api/v1/imports": {
        "data": MARCH, "content_type": "text/csv", "query_string": {"filename": "march.csv"},
    },
    "/api/v1/auth/token": {"data": {"grant_type": "password", "username": "ada", "password": PASSWORD}},
}  # fmt: skip
JOBS = ("/api/v1/exports", "/api/v1/imports")
# The delivery that the import made.
BATCH = 4
# Runs what the API asked Dagster for.
_RUN = """
import json, sys
from pipeline.definitions import defs
for run in json.load(sys.stdin):
    job = defs.resolve_job_def(run["selector"]["jobName"])
    assert job.execute_in_process(run["config"], tags=run["tags"]).success
"""


def _is_about_jobs(row: str) -> bool:
    return any(jobs in row for jobs in (*JOBS, "{batch_id}"))


def read(sample: str) -> Any:
    """A sample as JSON; an ellipsis that leaves out members becomes a member, or an item, itself."""
    made: list[str] = []
    around: list[str] = []
    for token in re.findall(rf'"[^"]*"|{REST}|[{{}}\[\],:]|[^"{REST}\s{{}}\[\],:]+', sample):
        if token in "{[":
            around.append(token)
        elif token in "}]":
            around.pop()
        is_member = token == REST and around[-1] == "{" and made[-1] in "{,"
        made.append(f'"{REST}": null' if is_member else f'"{REST}"' if token == REST else token)
    return json.loads("".join(made))


def differences(sample: Any, found: Any, where: str = "answer") -> list[str]:
    """Where the answer is not what the sample shows."""
    if sample == REST:
        return []
    if isinstance(sample, dict) and isinstance(found, dict):
        shown = [name for name in sample if name != REST]
        if shown != [name for name in found if name in sample]:
            return [f"{where} has {list(found)}, the sample {list(sample)}"]
        if REST not in sample and len(found) > len(shown):
            return [f"{where} has {list(found)}, and the sample no {REST}"]
        return [text for name in shown for text in differences(sample[name], found[name], f"{where}.{name}")]
    if isinstance(sample, list) and isinstance(found, list):
        return _item_differences(sample, found, where)
    if isinstance(sample, str) and isinstance(found, str) and REST in sample:
        pattern = ".*".join(map(re.escape, sample.split(REST)))
        return [] if re.fullmatch(pattern, found, re.DOTALL) else [f"{where} is {found!r}, not {sample!r}"]
    return [] if sample == found else [f"{where} is {found!r}, in the sample {sample!r}"]


def _item_differences(sample: list[Any], found: list[Any], where: str) -> list[str]:
    """The items come in the sample's order; an ellipsis stands for any number of others."""
    position, is_gap = 0, False
    for item in sample:
        if item == REST:
            is_gap = True
            continue
        rest = enumerate(found[position:] if is_gap else found[position : position + 1], position)
        tried = [(number, differences(item, other, f"{where}[{number}]")) for number, other in rest]
        if not tried:
            return [f"{where} has only {len(found)} items"]
        number, texts = next((one for one in tried if not one[1]), tried[0])
        if texts:
            return texts
        position, is_gap = number + 1, False
    return [] if is_gap or position == len(found) else [f"{where} has {len(found)} items"]


def python(warehouse: Warehouse, *arguments: str | Path, stdin: str = "") -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | warehouse.environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Shown:
    """The API over the six lines, loaded after a first start's sample as in the README.

    Dagster is a stand-in that knows the runs, and what the last of them logged.
    """

    warehouse: Warehouse
    client: FlaskClient
    dagster: FakeDagster


@pytest.fixture(scope="module")
def shown(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The API as the README shows it."""
    made_up = tmp_path_factory.mktemp("sample") / "sample.csv"
    fake = FakeDagster()
    with fresh_warehouse(postgres_server) as warehouse:
        python(warehouse, "-m", "pipeline.cli", "sample", "--rows", "50", "--output", made_up)
        for file, source in ((made_up, SAMPLE_SOURCE), (SAMPLE, "default")):
            python(warehouse, "-m", "pipeline.cli", "load", file, "--source", source)
        dagster = Dagster("http://dagster.test", transport=httpx.MockTransport(fake))
        app = create_app(warehouse.settings, warehouse.urls, dagster)
        client = app.test_client()
        for refresh in client.get("/api/v1/refreshes").get_json()["data"]:
            fake.add_run(refresh["dagster_run_id"], "SUCCESS", {})
        fake.events = [
            {"__typename": "LogMessageEvent", "timestamp": "1700000000123", "level": "INFO",
             "message": f"line {number}", "stepKey": "order_lines"}
            for number in range(2)
        ]  # fmt: skip
        yield Shown(warehouse, client, fake)
        close(app)


@pytest.fixture(scope="module")
def shown_jobs(shown: Shown) -> Shown:
    """The same after an export and an import; the latter's lines are in the numbers."""
    for route in JOBS:
        assert shown.client.post(route, **BODIES[route]).status_code == 202
    runs = [run for run in shown.dagster.runs.values() if "selector" in run]
    python(shown.warehouse, "-c", _RUN, stdin=json.dumps(runs))
    return shown


def ask(client: FlaskClient, method: str, route: str, sample: Any) -> Any:
    """The answer about what the sample is about, or about the newest job there is."""
    if method == "POST":
        return client.post(route.format(batch_id=BATCH), **BODIES.get(route, {})).get_json()
    data = sample.get("data", sample)
    data = next(iter(data), {}) if isinstance(data, list) else data
    known = {"build_id": 2, "batch_id": BATCH, **(data if isinstance(data, dict) else {})}
    for name, jobs in (("refresh", "refreshes"), ("import", "imports"), ("export", "exports")):
        if f"{{{name}_id}}" in route:
            known[f"{name}_id"] = client.get(f"/api/v1/{jobs}").get_json()["data"][0]["id"]
    return client.get(route.format(**known)).get_json()


def check(client: FlaskClient, row: str) -> None:
    method, route = row.split(" ")
    sample = read(SAMPLES[row])
    # What stands beside `data` may be left out without an ellipsis.
    assert differences({**sample, REST: None}, ask(client, method, route, sample)) == []


@pytest.mark.parametrize("address", BLOCKS)
def test_the_shown_answer_begins_like_the_real_one(shown: Shown, address: str) -> None:
    sample = read(BLOCKS[address])
    answer = shown.client.get(address).get_json()
    sample.get("meta", {}).pop("built_at", None)
    answer.get("meta", {}).pop("built_at", None)
    rows = len(sample["data"])
    assert differences(sample, {**answer, "data": answer["data"][:rows]}) == []


@pytest.mark.parametrize("row", [row for row in SAMPLES if row.startswith("GET") and not _is_about_jobs(row)])
def test_the_sample_response_is_part_of_the_answer(shown: Shown, row: str) -> None:
    check(shown.client, row)


@pytest.mark.parametrize("row", [row for row in SAMPLES if row.startswith("GET") and _is_about_jobs(row)])
def test_the_sample_of_a_job_is_part_of_the_answer(shown_jobs: Shown, row: str) -> None:
    check(shown_jobs.client, row)


@pytest.mark.parametrize("row", [row for row in SAMPLES if row.startswith("POST") and "/auth/" not in row])
def test_the_sample_of_a_post_is_part_of_the_answer(shown_jobs: Shown, row: str) -> None:
    check(shown_jobs.client, row)


def test_the_sample_of_a_token_is_part_of_the_answer(shown: Shown) -> None:
    Accounts(shown.warehouse).add("ada")
    app = create_app(shown.warehouse.settings.model_copy(update={"accounts": True}), shown.warehouse.urls)
    check(app.test_client(), "POST /api/v1/auth/token")
    close(app)


def test_the_table_has_samples() -> None:
    assert {"GET /api/v1/revenue/total", "GET /api/v1/builds", "POST /refresh"} <= SAMPLES.keys()


@pytest.mark.parametrize(
    ("sample", "found", "is_part"),
    [
        ('{"a": 1, …}', {"a": 1, "b": 2}, True),
        ('{"a": 1}', {"a": 1, "b": 2}, False),
        ('{"b": 2, "a": 1}', {"a": 1, "b": 2}, False),
        ('{"a": "1.50"}', {"a": "1.5"}, False),
        ('[{"a": …}, …]', [{"a": None}, 5], True),
        ("[1, 2]", [1, 2, 3], False),
        ("[1, 2, 3, …]", [1, 2], False),
        ("[…, 2, …]", [1, 2, 3], True),
        ("[…, 2]", [1, 2, 3], False),
        ('{"a": "from … to", "b": {…}}', {"a": "from 1 to", "b": {"c": 1}}, True),
        ('{"a": "from … to"}', {"a": "till 1 to"}, False),
        ('{"a": "…"}', {"a": None}, True),
    ],
)
def test_a_sample_shows_what_is_there_in_its_order(sample: str, found: Any, is_part: bool) -> None:
    assert (differences(read(sample), found) == []) is is_part
