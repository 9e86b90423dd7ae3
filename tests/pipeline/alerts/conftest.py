"""Records that call for alerts, and real receivers for them."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from pipeline.alerts import Receivers
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

Connection = psycopg.Connection[TupleRow]


@dataclass
class Hook:
    """A web server that keeps what it was sent; ``answers`` are its statuses, 204 when none is left."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def received(self) -> list[dict[str, Any]]:
        """The bodies, read."""
        return [json.loads(body) for body in self.bodies]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that answers at once; clear ``may_answer`` to let it think."""
    found = Hook()
    found.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            found.headers.append(dict(self.headers))
            found.arrived.set()
            found.may_answer.wait(60)
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/hooks/s3cret-path"
    yield found
    found.may_answer.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def owner(warehouse: Warehouse) -> Iterator[Connection]:
    """The owner's connection, which commits each statement."""
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.alerts.webhook.PAUSES_SECONDS", (0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def hooks(*addresses: str, **fields: Any) -> Receivers:
    """Webhooks with these addresses."""
    return Receivers.model_validate({"webhook": [{"url": address, **fields} for address in addresses]})


def add_job(connection: Connection, status: str, *, kind: str = "refresh", **columns: Any) -> str:
    """A job that ended just now, unless ``ago`` says how long ago (as Postgres writes intervals)."""
    values = {"kind": kind, "status": status, "ago": "0 s", "message": None, "problem": None, **columns}
    row = connection.execute(
        """
        insert into app.jobs (kind, status, requested_by, message, problem, dagster_run_id, finished_at)
        values (
            %(kind)s, %(status)s, 'cli', %(message)s, %(problem)s, %(run_id)s,
            now() - %(ago)s::interval
        )
        returning job_id
        """,
        {"run_id": None, **values},
    ).fetchone()
    assert row is not None
    return str(row[0])


def add_build(
    connection: Connection,
    *,
    status: str = "published",
    is_full: bool = False,
    data_as_of: str | None = None,
    rows_changed: str = "{}",
    run_id: str | None = None,
) -> int:
    """A build that was made just now."""
    row = connection.execute(
        """
        insert into core.builds (
            status, is_full, data_as_of, built_at, finished_at, rows_changed, requested_by, dagster_run_id
        )
        values (%s, %s, %s, now(), now(), %s, 'cli', %s)
        returning build_id
        """,
        (status, is_full, data_as_of, rows_changed, run_id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def add_batch(connection: Connection, batch_id: int, status: str, file_name: str, message: str) -> None:
    """A batch that was closed just now."""
    connection.execute(
        """
        insert into raw.batches (
            batch_id, call_id, source, mode, status, file_name, message, requested_by, finished_at
        )
        values (%(id)s, %(id)s, 'till', 'append', %(status)s, %(file)s, %(message)s, 'cli', now())
        """,
        {"id": batch_id, "status": status, "file": file_name, "message": message},
    )
