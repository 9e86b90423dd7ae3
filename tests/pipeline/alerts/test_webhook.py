"""Alerts sent to a real web server."""

import contextlib
import hashlib
import hmac
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from pipeline.alerts import DeliveryError, send, sending
from pipeline.alerts.models import Alert
from tests.api.test_serving import free_port
from tests.pipeline.alerts.conftest import Hook, hooks

ALERT = Alert(
    key="failed:1",
    event="failed",
    title="refresh failed (build 12)",
    detail="2 check(s) failed: größer",
    build_id=12,
    refresh_id=UUID(int=7),
    data_as_of=date(2024, 5, 18),
    at=datetime(2024, 5, 19, 2, 0, tzinfo=UTC),
)


def test_the_body_says_all_there_is(hook: Hook) -> None:
    send(hooks(hook.url, headers={"X-Channel": "ops"}).all[0], ALERT)
    assert hook.received == [
        {
            "id": "failed:1",
            "event": "failed",
            "title": "refresh failed (build 12)",
            "detail": "2 check(s) failed: größer",
            "build_id": 12,
            "refresh_id": "00000000-0000-0000-0000-000000000007",
            "batch_id": None,
            "data_as_of": "2024-05-18",
            "at": "2024-05-19T02:00:00+00:00",
            "links": {
                "builds": "/api/v1/builds",
                "batches": "/api/v1/batches",
                "build": "/api/v1/builds/12",
                "refresh": "/api/v1/refreshes/00000000-0000-0000-0000-000000000007",
            },
        }
    ]
    assert hook.headers[0]["X-Channel"] == "ops"
    assert hook.headers[0]["Content-Type"] == "application/json"
    assert "X-Tillhouse-Signature" not in hook.headers[0]


def test_the_signature_is_that_of_the_bytes(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    send(hooks(hook.url, secret_env="HOOK_SECRET").all[0], ALERT)
    expected = hmac.new(b"s3cret", hook.bodies[0], hashlib.sha256).hexdigest()
    assert hook.headers[0]["X-Tillhouse-Signature"] == f"sha256={expected}"


def test_without_its_secret_nothing_is_sent(hook: Hook) -> None:
    with pytest.raises(DeliveryError, match="the environment variable HOOK_SECRET is not set"):
        send(hooks(hook.url, secret_env="HOOK_SECRET").all[0], ALERT)
    assert hook.bodies == []


@pytest.mark.parametrize("answers", [[500], [503, 429], []])
def test_a_receiver_that_stumbles_is_asked_again_at_once(hook: Hook, answers: list[int]) -> None:
    hook.answers = list(answers)
    send(hooks(hook.url).all[0], ALERT)
    assert len(hook.bodies) == len(answers) + 1
    assert len(set(hook.bodies)) == 1


@pytest.mark.parametrize(("status", "tries"), [(500, 3), (429, 3), (400, 1), (404, 1), (302, 1)])
def test_what_is_no_success_is_a_failure(hook: Hook, status: int, tries: int) -> None:
    hook.answers = [status] * 5
    with pytest.raises(DeliveryError, match=f"^answered {status}$"):
        send(hooks(hook.url).all[0], ALERT)
    assert len(hook.bodies) == tries


def test_a_receiver_that_does_not_answer_is_not_waited_for_long(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.alerts.webhook.TIMEOUT_SECONDS", 0.2)
    hook.may_answer.clear()
    with pytest.raises(DeliveryError, match=r"^no answer within 0\.2 seconds$"):
        send(hooks(hook.url).all[0], ALERT)


@pytest.fixture
def dripping() -> Iterator[str]:
    """A receiver that sends a byte of its head every now and then, and never all of it."""
    ended = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                while not ended.wait(0.02):
                    self.request.sendall(b"x")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        ended.set()
        server.shutdown()


def test_a_receiver_that_answers_byte_by_byte_is_given_up_at_the_deadline(
    dripping: str, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DEADLINE_SECONDS", 0.5)
    [drips] = hooks(dripping, name="drips").all
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"^took longer than 0\.5 seconds$"):
        send(drips, ALERT)
    # One delivery at most is left behind, however often it is tried.
    with pytest.raises(DeliveryError, match=r"^has not ended an earlier delivery yet$"):
        send(drips, ALERT)
    assert time.monotonic() - began < 5
    send(hooks(hook.url, name="answers").all[0], ALERT)
    assert len(hook.bodies) == 1


def test_the_body_of_an_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "DEADLINE_SECONDS", 10.0)
    ended = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
            ended.wait(60)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            send(hooks(f"http://127.0.0.1:{server.server_address[1]}/").all[0], ALERT)
        finally:
            ended.set()
            server.shutdown()


def test_errors_do_not_name_the_address_or_the_headers() -> None:
    away = f"http://user:s3cret@127.0.0.1:{free_port()}/s3cret"
    with pytest.raises(DeliveryError) as caught:
        send(hooks(away, headers={"Authorization": "s3cret"}).all[0], ALERT)
    assert str(caught.value) == "cannot be reached (ConnectError)"
    assert caught.value.__cause__ is None
