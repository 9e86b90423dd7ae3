"""One look: what has happened is written down, and what is due is delivered."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from psycopg import Connection

from pipeline.alerts import events, outbox
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Receivers
from pipeline.alerts.sending import send
from pipeline.settings import Settings

# Dagster ends a sensor's evaluation after 60 seconds, and one delivery may take half of the rest.
LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """How many alerts are new, how many deliveries were given up, and what became of those tried."""

    raised: int
    given_up: int
    deliveries: tuple[outbox.Delivery, ...]

    @property
    def message(self) -> str:
        """What happened, in a line, with the receivers that failed and why."""
        failed = [f"; {item.receiver}: {item.error}" for item in self.deliveries if item.error is not None]
        given_up = f", {self.given_up} given up" if self.given_up else ""
        told = f"{self.raised} new alert(s), {len(self.deliveries) - len(failed)} delivered{given_up}"
        return told + "".join(failed)


def look(connection: Connection, settings: Settings, receivers: Receivers) -> Outcome:
    """Raise what is new and deliver what is due; may run in several processes at once.

    Args:
        connection: the owner's, in autocommit mode.
        settings: what counts as late, and the currency.
        receivers: who is told.
    """
    raised = sum(outbox.write(connection, alert, receivers) for alert in _found(connection, settings))
    given_up = outbox.give_up(connection, receivers)
    return Outcome(raised, given_up, tuple(_deliver(connection, receivers)))


def _deliver(connection: Connection, receivers: Receivers) -> Iterator[outbox.Delivery]:
    until = time.monotonic() + LOOK_SECONDS
    answering = list(receivers.all)
    while time.monotonic() < until:
        done = outbox.deliver_next(connection, answering, send)
        if done is None:
            return
        if done.error is not None:
            # One that is away must not keep the others waiting.
            answering = [receiver for receiver in answering if receiver.name != done.receiver]
        yield done


def _found(connection: Connection, settings: Settings) -> list[Alert]:
    began = outbox.started_at(connection)
    # What is older would be given up at once.
    since = max(began, _now(connection) - outbox.GIVEN_UP_AFTER)
    as_of = events.newest_data(connection)
    found = [
        *events.failed_jobs(connection, since),
        *events.unexpected_differences(connection, since),
        *events.refused_batches(connection, since),
        *events.lateness(connection, began, timedelta(hours=settings.freshness_hours)),
        *events.anomalies(connection, since, settings.currency),
    ]
    return [replace(alert, data_as_of=as_of) for alert in found]


def _now(connection: Connection) -> datetime:
    row = connection.execute("select now()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found
