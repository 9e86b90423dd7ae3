"""Conditional requests, and answers kept until the next build: in the process, or in a real Redis."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket

import psycopg
import pytest
import redis
from flask.testing import FlaskClient
from psycopg import sql

from api.cache import PAUSE_SECONDS, Cache
from pipeline.settings import Settings
from tests.api.conftest import StrictClient
from tests.api.published import Line, golden_lines
from tests.conftest import Warehouse

ADDRESS = "/api/v1/revenue/by-region"


@pytest.fixture
def redis_url(tool: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    """A Redis of the test's own."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([tool("redis-server"), *options], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                redis.Redis.from_url(url).ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Redis does not start"
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def forget_the_marts(warehouse: Warehouse) -> None:
    """Whoever needs a mart from here on fails."""
    with psycopg.connect(warehouse.urls.owner) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'marts'").fetchall()
        for (table,) in tables:
            gone = sql.SQL("alter table {} rename to {}")
            connection.execute(gone.format(sql.Identifier("marts", table), sql.Identifier(f"gone_{table}")))


def test_an_answer_that_the_caller_has_is_not_sent_again(
    client: StrictClient, golden: int, warehouse: Warehouse
) -> None:
    first = client.get(ADDRESS)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.last_modified is not None
    assert {"Accept", "Authorization"} <= set(first.vary)
    forget_the_marts(warehouse)
    again = client.get(f"{ADDRESS}?limit=50", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_what_is_asked_for_in_another_way_is_another_answer(client: StrictClient, golden: int) -> None:
    tags = {
        client.get(address).headers["ETag"]
        for address in (
            ADDRESS,
            f"{ADDRESS}?region=Asia",
            f"{ADDRESS}?limit=1",
            f"{ADDRESS}?format=csv",
            f"{ADDRESS}?format=arrow",
            f"{ADDRESS}?explain=true",
            "/api/v1/revenue?group_by=region",
        )
    }
    assert len(tags) == 7
    assert (
        client.get(f"{ADDRESS}?start_date=2024-01-01&region=Asia").headers["ETag"]
        == (client.get(f"{ADDRESS}?region=Asia&start_date=2024-01-01").headers["ETag"])
    )


def test_a_newer_build_is_a_newer_answer(
    client: StrictClient, golden: int, publish_lines: Callable[[list[Line]], int]
) -> None:
    first = client.get(ADDRESS)
    publish_lines(golden_lines()[:1])
    again = client.get(ADDRESS, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert [row["region"] for row in again.json["data"]] == ["North America"]  # type: ignore[index]


def test_a_kept_answer_needs_no_mart(client: StrictClient, golden: int, warehouse: Warehouse) -> None:
    first = client.get(ADDRESS)
    forget_the_marts(warehouse)
    assert client.get(ADDRESS).data == first.data


def test_processes_share_their_answers_through_redis(
    make_client: Callable[..., StrictClient], golden: int, warehouse: Warehouse, redis_url: str
) -> None:
    first = make_client(redis_url=redis_url).get(ADDRESS)
    forget_the_marts(warehouse)
    assert make_client(redis_url=redis_url).get(ADDRESS).data == first.data


def test_what_somebody_else_wrote_into_redis_is_never_run(
    make_client: Callable[..., StrictClient], golden: int, redis_url: str, tmp_path: Path
) -> None:
    client = make_client(redis_url=redis_url)
    client.get(ADDRESS)
    store = redis.Redis.from_url(redis_url)
    [key] = [key for key in store.keys("tillhouse:*") if store.type(key) == b"string"]
    # A pickle that makes a file when it is read.
    store.set(key, b"cos\nsystem\n(S'touch " + str(tmp_path / "run").encode() + b"'\ntR.")
    FlaskClient(client.application).get(ADDRESS)
    assert not (tmp_path / "run").exists()


def test_a_redis_that_does_not_answer_is_left_alone_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    tried: list[str] = []

    def away(*_: object) -> None:
        tried.append("asked")
        raise redis.ConnectionError("away")

    monkeypatch.setattr(cache._kept, "get", away)
    monkeypatch.setattr(cache._kept, "set", away)
    now = time.monotonic()
    monkeypatch.setattr("api.cache.time.monotonic", lambda: now)
    assert cache.get("a") is None
    cache.put("a", b"1")
    assert (cache.get("a"), len(tried)) == (None, 1)
    now += PAUSE_SECONDS
    cache.put("a", b"1")
    assert (cache.get("a"), len(tried)) == (None, 2)


def test_without_its_redis_the_service_answers_all_the_same(
    make_client: Callable[..., StrictClient], golden: int
) -> None:
    client = make_client(redis_url="redis://127.0.0.1:1/0")
    assert client.get(ADDRESS).status_code == 200
