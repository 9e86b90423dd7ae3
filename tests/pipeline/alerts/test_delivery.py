"""Each alert reaches each receiver once: through outages, crashes, and two daemons at once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import dagster as dg
import pytest

from pipeline.alerts import AlertsError, Outcome, look, outbox, sending, webhook
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Email, Webhook
from pipeline.alerts.watch import LOOK_SECONDS
from pipeline.assets.alerts import alerts
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from tests.api.test_serving import free_port
from tests.conftest import Warehouse
from tests.pipeline.alerts.conftest import Connection, Hook, add_batch, hooks

AWAY = "cannot be reached (ConnectError)"


def refuse(owner: Connection, *batch_ids: int) -> None:
    for batch_id in batch_ids:
        add_batch(owner, batch_id, "refused", f"{batch_id}.csv", "no price")


def deliveries(owner: Connection) -> list[tuple[str, str, int, str | None]]:
    return owner.execute(
        "select receiver, status, attempts, last_error from app.alert_deliveries order by alert_id, receiver"
    ).fetchall()


def make_due(owner: Connection) -> None:
    owner.execute("update app.alert_deliveries set next_attempt_at = now()")


@pytest.fixture
def watching(owner: Connection) -> None:
    """Alerts are watched for from now on."""
    outbox.started_at(owner)


@pytest.mark.usefixtures("watching")
def test_a_receiver_that_was_down_is_told_when_it_is_up(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1)
    hook.answers = [500] * 6
    receivers = hooks(hook.url)
    outcome = look(owner, warehouse.settings, receivers)
    assert outcome.message == "1 new alert(s), 0 delivered; webhook-1: answered 500"
    # Not due yet: thirty seconds after the first failure, twice as long after each further one.
    assert look(owner, warehouse.settings, receivers) == Outcome(0, 0, ())
    make_due(owner)
    look(owner, warehouse.settings, receivers)
    assert deliveries(owner) == [("webhook-1", "pending", 2, "answered 500")]
    pause = owner.execute("select next_attempt_at - now() from app.alert_deliveries").fetchone()
    assert pause is not None
    assert 55 < pause[0].total_seconds() <= 60
    make_due(owner)
    assert look(owner, warehouse.settings, receivers).message == "0 new alert(s), 1 delivered"
    assert deliveries(owner) == [("webhook-1", "delivered", 3, "answered 500")]
    make_due(owner)
    look(owner, warehouse.settings, receivers)
    assert [alert["id"] for alert in hook.received] == ["refused:1"] * 7


@pytest.mark.usefixtures("watching")
def test_a_receiver_that_is_away_does_not_keep_the_others_waiting(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1, 2, 3)
    receivers = hooks(f"http://127.0.0.1:{free_port()}/", hook.url)
    outcome = look(owner, warehouse.settings, receivers)
    assert outcome.message == f"3 new alert(s), 3 delivered; webhook-1: {AWAY}"
    assert [alert["batch_id"] for alert in hook.received] == [1, 2, 3]
    assert sum(attempts for name, _, attempts, _ in deliveries(owner) if name == "webhook-1") == 1


@pytest.mark.usefixtures("watching")
def test_receivers_are_told_of_what_they_asked_for(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1)
    assert look(owner, warehouse.settings, hooks(hook.url, on=["failed", "late"])) == Outcome(1, 0, ())
    # It was news before; who comes later is not told of it.
    assert look(owner, warehouse.settings, hooks(hook.url)) == Outcome(0, 0, ())
    assert hook.bodies == []


@pytest.mark.usefixtures("watching")
def test_what_cannot_be_delivered_within_a_day_is_given_up(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1, 2)
    look(owner, warehouse.settings, hooks(f"http://127.0.0.1:{free_port()}/"))
    make_due(owner)
    owner.execute(
        "update app.alerts set raised_at = now() - interval '24 hours 1 second' where event_key = 'refused:1'"
    )
    outcome = look(owner, warehouse.settings, hooks(hook.url))
    assert outcome.message == "0 new alert(s), 1 delivered, 1 given up"
    assert [alert["id"] for alert in hook.received] == ["refused:2"]
    assert [status for _, status, _, _ in deliveries(owner)] == ["given_up", "delivered"]


@pytest.mark.usefixtures("watching")
def test_what_is_for_a_receiver_that_is_gone_is_given_up(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1)
    look(owner, warehouse.settings, hooks(f"http://127.0.0.1:{free_port()}/", name="old"))
    assert look(owner, warehouse.settings, hooks(hook.url, name="new")) == Outcome(0, 1, ())
    assert hook.bodies == []


@pytest.mark.usefixtures("watching")
def test_a_crash_between_sending_and_noting_it_sends_the_same_again(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1)
    sent: list[Alert] = []

    def crash(_: Webhook | Email, alert: Alert) -> None:
        sent.append(alert)
        raise KeyboardInterrupt

    receivers = hooks(f"http://127.0.0.1:{free_port()}/")
    look(owner, warehouse.settings, receivers)
    make_due(owner)
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver_next(owner, receivers.all, crash)
    # The attempt is on record, so that one that always ends in a crash is made ever more rarely.
    assert deliveries(owner) == [("webhook-1", "pending", 2, AWAY)]
    assert look(owner, warehouse.settings, hooks(hook.url)) == Outcome(0, 0, ())
    make_due(owner)
    look(owner, warehouse.settings, hooks(hook.url))
    assert [alert["id"] for alert in hook.received] == [alert.key for alert in sent] == ["refused:1"]


@pytest.mark.usefixtures("watching")
def test_a_fault_of_one_delivery_ends_neither_the_others_nor_the_look(
    owner: Connection, warehouse: Warehouse, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(owner, 1)
    post = webhook.post

    def faulty(receiver: Webhook, alert: Alert) -> None:
        if receiver.name == "webhook-1":
            raise LookupError("s3cret")
        post(receiver, alert)

    monkeypatch.setattr("pipeline.alerts.sending.post", faulty)
    outcome = look(owner, warehouse.settings, hooks(hook.url, hook.url))
    assert outcome.message == "1 new alert(s), 1 delivered; webhook-1: could not be sent (LookupError)"
    assert deliveries(owner) == [
        ("webhook-1", "pending", 1, "could not be sent (LookupError)"),
        ("webhook-2", "delivered", 1, None),
    ]


@pytest.mark.usefixtures("watching")
def test_an_attempt_is_on_record_while_it_is_made(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1)
    hook.may_answer.clear()
    with ThreadPoolExecutor(1) as pool, connect(warehouse.urls.owner, autocommit=True) as other:
        sending = pool.submit(look, owner, warehouse.settings, hooks(hook.url))
        assert hook.arrived.wait(30)
        assert deliveries(other) == [("webhook-1", "pending", 1, None)]
        hook.may_answer.set()
        sending.result(30)
    assert deliveries(owner) == [("webhook-1", "delivered", 1, None)]


@pytest.mark.usefixtures("watching")
def test_two_daemons_tell_each_alert_once(owner: Connection, warehouse: Warehouse, hook: Hook) -> None:
    refuse(owner, *range(1, 9))
    receivers, start = hooks(hook.url), Barrier(4)

    def run(_: int) -> Outcome:
        with connect(warehouse.urls.owner, autocommit=True) as connection:
            start.wait(30)
            return look(connection, warehouse.settings, receivers)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(run, range(4)))
    assert sum(outcome.raised for outcome in outcomes) == 8
    assert sorted(alert["batch_id"] for alert in hook.received) == list(range(1, 9))


@pytest.mark.usefixtures("watching")
def test_what_one_daemon_is_sending_the_other_leaves_alone(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    refuse(owner, 1)
    receivers = hooks(hook.url)
    hook.may_answer.clear()
    with ThreadPoolExecutor(1) as pool, connect(warehouse.urls.owner, autocommit=True) as other:
        sending = pool.submit(look, owner, warehouse.settings, receivers)
        assert hook.arrived.wait(30)
        assert look(other, warehouse.settings, receivers) == Outcome(0, 0, ())
        hook.may_answer.set()
        assert sending.result(30).message == "1 new alert(s), 1 delivered"
    assert len(hook.bodies) == 1


@pytest.mark.usefixtures("watching")
def test_nothing_secret_is_kept_or_said(
    owner: Connection, warehouse: Warehouse, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(owner, 1)
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    hook.answers = [401]
    receivers = hooks(hook.url, headers={"Authorization": "Bearer s3cret"}, secret_env="HOOK_SECRET")
    outcome = look(owner, warehouse.settings, receivers)
    kept = owner.execute(
        "select jsonb_agg(alerts), jsonb_agg(alert_deliveries) from app.alerts, app.alert_deliveries"
    ).fetchone()
    assert "answered 401" in json.dumps(kept)
    assert "s3cret" not in json.dumps(kept) + outcome.message + repr(outcome)
    assert hook.headers[0]["Authorization"] == "Bearer s3cret"


@pytest.fixture
def in_its_process(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment is that of the sensor's process."""
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def said() -> str:
    found = alerts(dg.build_sensor_context())
    assert isinstance(found, dg.SkipReason)
    assert found.skip_message is not None
    return found.skip_message


@pytest.mark.usefixtures("in_its_process")
def test_the_sensor_tells_the_receivers_of_the_file(
    owner: Connection, warehouse: Warehouse, hook: Hook
) -> None:
    file: Path = warehouse.settings.alerts_file
    assert said() == f"Nobody is to be told: there is no {file}."
    refuse(owner, 1)
    file.write_text(f'[[webhook]]\nurl = "{hook.url}"\n')
    assert said() == "0 new alert(s), 0 delivered"
    refuse(owner, 2)
    assert said() == "1 new alert(s), 1 delivered"
    assert [alert["batch_id"] for alert in hook.received] == [2]
    file.write_text('[[webhook]]\nurl = "s3cret"\n')
    with pytest.raises(AlertsError, match="webhook 1, url: must be an address"):
        said()


def test_a_look_ends_before_dagster_ends_it_and_a_delivery_before_its_next_attempt() -> None:
    assert LOOK_SECONDS + sending.DEADLINE_SECONDS < 55
    assert outbox.FIRST_PAUSE.total_seconds() > sending.DEADLINE_SECONDS


def test_it_runs_twice_a_minute_without_being_asked() -> None:
    assert alerts.minimum_interval_seconds == 30
    assert alerts.default_status is dg.DefaultSensorStatus.RUNNING
