"""The README's sample responses are parts of what the running API answers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import close, create_app
from pipeline.builds.plan import SAMPLE_SOURCE
from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse
from tests.pipeline.landing.files import SAMPLE
from tests.test_docs import section

# Stands in a sample for what is left out.
REST = "…"
_ROW = re.compile(r"^\| GET \| `(?P<route>[^`]+)` \|[^|]*\| `(?P<sample>\{[^|]+\})` \|", re.MULTILINE)
_BLOCK = re.compile(r"^`GET (?P<address>/[^`]+)`:\n\n```json\n(?P<sample>.*?)\n```", re.MULTILINE | re.DOTALL)
SAMPLES = dict(_ROW.findall(section("## The API")))
BLOCKS = dict(_BLOCK.findall(section("## The API")))


def read(sample: str) -> Any:
    """A sample as JSON; an ellipsis that leaves out members becomes a member, or an item, itself."""
    quoted = re.sub(rf'"[^"]*"|{REST}', lambda found: found[0] if found[0] != REST else f'"{REST}"', sample)
    return json.loads(re.sub(rf'"{REST}"(?=\s*\}})', f'"{REST}": null', quoted))


def differences(sample: Any, found: Any, where: str = "answer") -> list[str]:
    """Where the answer is not what the sample shows."""
    if sample == REST or (isinstance(sample, str) and REST in sample and isinstance(found, str)):
        return []
    if isinstance(sample, dict) and isinstance(found, dict):
        shown = [name for name in sample if name != REST]
        there = [name for name in found if name in sample]
        if shown != there or (REST not in sample and len(found) != len(sample)):
            return [f"{where} has {list(found)}, the sample {list(sample)}"]
        return [text for name in shown for text in differences(sample[name], found[name], f"{where}.{name}")]
    if isinstance(sample, list) and isinstance(found, list):
        shown_items = [item for item in sample if item != REST]
        if len(found) < len(shown_items) or (REST not in sample and len(found) != len(sample)):
            return [f"{where} has {len(found)} items"]
        return [
            text
            for number, item in enumerate(shown_items)
            for text in differences(item, found[number], f"{where}[{number}]")
        ]
    return [] if sample == found else [f"{where} is {found!r}, in the sample {sample!r}"]


def tillhouse(warehouse: Warehouse, *arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env=os.environ | warehouse.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def client(
    postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """A client over the six lines, loaded after a first start's sample as in the README."""
    made_up = tmp_path_factory.mktemp("sample") / "sample.csv"
    with fresh_warehouse(postgres_server) as warehouse:
        tillhouse(warehouse, "sample", "--rows", "50", "--output", made_up)
        tillhouse(warehouse, "load", made_up, "--source", SAMPLE_SOURCE)
        tillhouse(warehouse, "load", SAMPLE)
        app = create_app(warehouse.settings, warehouse.urls)
        yield app.test_client()
        close(app)


def address_of(client: FlaskClient, route: str, sample: Any) -> str:
    """The route with the ids that the sample is about, or that there are."""
    [refresh, *_] = client.get("/api/v1/refreshes").get_json()["data"]
    shown = sample.get("data", sample)
    shown = shown[0] if isinstance(shown, list) else shown
    return route.format(**{"refresh_id": refresh["id"], "build_id": 2, **shown})


@pytest.mark.parametrize("route", SAMPLES)
def test_the_sample_response_is_part_of_the_answer(client: FlaskClient, route: str) -> None:
    sample = read(SAMPLES[route])
    answer = client.get(address_of(client, route, sample)).get_json()
    # What stands beside `data` may be left out without an ellipsis.
    assert differences({**sample, REST: None}, answer) == []


@pytest.mark.parametrize("address", BLOCKS)
def test_the_shown_answer_begins_like_the_real_one(client: FlaskClient, address: str) -> None:
    sample = read(BLOCKS[address])
    answer = client.get(address).get_json()
    del sample["meta"]["built_at"], answer["meta"]["built_at"]
    rows = len(sample["data"])
    assert differences(sample, {**answer, "data": answer["data"][:rows]}) == []


def test_there_are_samples() -> None:
    assert {"/api/v1/revenue/total", "/api/v1/builds"} <= SAMPLES.keys()


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
        ('{"a": "9b82-…", "b": {…}}', {"a": "17", "b": {"c": 1}}, True),
        ('{"a": "…"}', {"a": None}, True),
    ],
)
def test_a_sample_shows_what_is_there_in_its_order(sample: str, found: Any, is_part: bool) -> None:
    assert (differences(read(sample), found) == []) is is_part
