"""The log: one line a request, as text or JSON, with no value that somebody sent."""

import json
import logging
import subprocess
import sys
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.logs import LineFormatter
from pipeline.settings import Settings
from tests.api.conftest import StrictClient
from tests.api.test_serving import serving, wait_until_up
from tests.conftest import Warehouse

TOTAL = "/api/v1/revenue/total"
REQUEST_ID = "5f0c3a52-6c1f-4c7e-9d3c-0d6a4c0f7f11"


class Lines(logging.Handler):
    """What is logged, as JSON lines were it printed."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LineFormatter("json"))
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(self.format(record))

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text]


@pytest.fixture
def lines() -> Any:
    found = Lines()
    logger = logging.getLogger("api")
    before = logger.level
    logger.addHandler(found)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(found)
    logger.setLevel(before)


def test_each_request_has_one_line(client: StrictClient, golden: int, lines: Lines) -> None:
    answer = client.get(f"{TOTAL}?region=Asia&customer_id=C-secret", headers={"X-Request-Id": REQUEST_ID})
    assert answer.status_code == 200
    assert len(lines.all) == 1
    line = lines.all[0]
    assert line.pop("duration_ms") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "api.access",
        "event": "request",
        "request_id": REQUEST_ID,
        "principal": "local",
        "method": "GET",
        "route": TOTAL,
        "parameters": ["region", "customer_id"],
        "status": 200,
        "build_id": golden,
    }


def test_the_line_has_the_routes_pattern_and_the_answers_request_id(
    client: StrictClient, lines: Lines
) -> None:
    answer = client.get("/api/v1/builds/4711")
    assert [(line["route"], line["status"]) for line in lines.all] == [("/api/v1/builds/<int:build_id>", 404)]
    assert lines.all[0]["request_id"] == answer.headers["X-Request-Id"]
    UUID(lines.all[0]["request_id"])


@pytest.mark.usefixtures("golden")
def test_no_value_that_was_sent_is_logged(client: StrictClient, lines: Lines) -> None:
    headers = {"Authorization": "Bearer s3cret", "Cookie": "s3cret", "User-Agent": "s3cret"}
    for path in (
        f"{TOTAL}?customer_id=s3cret",
        f"{TOTAL}?s3cret",
        f"{TOTAL}?s3cret@example.com=1",
        f"{TOTAL}?start_date=s3cret",
        "/s3cret",
        "/problems/s3cret",
    ):
        client.get(path, headers=headers)
    client.open("/healthz", method="S3CRET", headers=headers)
    client.post("/refresh", json={"sources": ["s3cret"]}, headers=headers)
    assert len(lines.all) == 8
    assert "s3cret" not in "".join(lines.text).lower()


@pytest.mark.usefixtures("golden")
def test_what_is_logged_on_the_way_names_its_request(
    client: StrictClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        hidden = "s3cret"
        raise RuntimeError("broken" if hidden else "")

    monkeypatch.setattr("api.resources.builds.list_builds", fail)
    answer = client.get("/api/v1/builds")
    assert answer.status_code == 500
    fault, access = lines.all
    assert fault["level"] == "error"
    assert "RuntimeError: broken" in fault["exception"]
    assert "s3cret" not in fault["exception"]
    for name in ("request_id", "principal", "method", "route"):
        assert fault[name] == access[name]


@pytest.mark.usefixtures("golden")
def test_a_streamed_answer_is_logged_when_it_was_sent(client: StrictClient, lines: Lines) -> None:
    answer = client.get("/api/v1/revenue/by-region?format=csv")
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) > 1
    answer.close()
    assert [(line["route"], line["status"]) for line in lines.all] == [("/api/v1/revenue/by-region", 200)]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_event_is_one_line_whatever_it_says(
    log_format: str, capfd: pytest.CaptureFixture[str], settings: Settings
) -> None:
    # A process of its own: pytest holds the root logger of this one.
    program = (
        "import logging, sys\n"
        "from api.logs import configure_logging\n"
        "from pipeline.settings import Settings\n"
        "configure_logging(Settings(log_format=sys.argv[1]))\n"
        "logging.getLogger('api').warning('one\\ntwo \\x1b[31m %s', 'three', extra={'status': 7})\n"
    )
    subprocess.run([sys.executable, "-c", program, log_format], check=True)
    printed = capfd.readouterr().err
    assert printed.count("\n") == 1
    assert "\x1b" not in printed
    if log_format == "json":
        line = json.loads(printed)
        assert (line["event"], line["level"], line["status"]) == ("one\ntwo \x1b[31m three", "warning", 7)
    else:
        assert " level='warning' logger='api' event='one\\ntwo \\x1b[31m three' status=7" in printed


@pytest.mark.usefixtures("golden")
def test_every_line_of_the_service_is_json(warehouse: Warehouse) -> None:
    with serving(warehouse, TILLHOUSE_LOG_FORMAT="json") as (process, address):
        wait_until_up(process, address)
        httpx.get(f"{address}/api/v1/revenue/total")
        process.terminate()
        output, _ = process.communicate(timeout=30)
    printed = [json.loads(line) for line in output.decode().splitlines()]
    assert "api.access" in {line["logger"] for line in printed}
    assert [line["status"] for line in printed if line.get("route") == TOTAL] == [200]
