"""The alerts and their deliveries in ``app``: an alert is written down first, and delivered from there.

An attempt is on record before it is made, and the next one is due only when this one must be over: so
two daemons never send the same, and after a crash in that moment it is sent again later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import dict_row

from pipeline.alerts.errors import DeliveryError
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Email, Receivers, Webhook

GIVEN_UP_AFTER = timedelta(hours=24)
# Longer than a delivery may take.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

Send = Callable[[Webhook | Email, Alert], None]


@dataclass(frozen=True)
class Delivery:
    """What became of one try to deliver an alert; ``error`` None when it arrived."""

    receiver: str
    alert: Alert
    error: str | None


def started_at(connection: Connection) -> datetime:
    """Since when alerts are watched for: the first time that anybody asks."""
    connection.execute("insert into app.alert_watch default values on conflict do nothing")
    row = connection.execute("select started_at from app.alert_watch").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def write(connection: Connection, alert: Alert, receivers: Receivers) -> bool:
    """Write an alert down with its deliveries, unless it was already; returns whether it is new."""
    with connection.transaction():
        row = connection.execute(
            """
            insert into app.alerts (
                event_key, event, title, detail, build_id, refresh_id, batch_id, data_as_of
            )
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (event_key) do nothing
            returning alert_id
            """,
            (
                *(alert.key, alert.event, alert.title, alert.detail),
                *(alert.build_id, alert.refresh_id, alert.batch_id, alert.data_as_of),
            ),
        ).fetchone()
        if row is None:
            return False
        for receiver in receivers.all:
            if alert.event in receiver.on:
                connection.execute(
                    "insert into app.alert_deliveries (alert_id, receiver) values (%s, %s)",
                    (row[0], receiver.name),
                )
    return True


def give_up(connection: Connection, receivers: Receivers) -> int:
    """Give up what is too old, and what is for receivers that are gone; returns how many deliveries."""
    return connection.execute(
        """
        update app.alert_deliveries
        set status = 'given_up', finished_at = now()
        from (
            select alert_id, receiver
            from app.alert_deliveries
            inner join app.alerts using (alert_id)
            where
                status = 'pending'
                and (raised_at < now() - %s::interval or receiver <> all(%s::text[]))
            for update of alert_deliveries skip locked
        ) as hopeless
        where
            alert_deliveries.alert_id = hopeless.alert_id and alert_deliveries.receiver = hopeless.receiver
        """,
        (GIVEN_UP_AFTER, [receiver.name for receiver in receivers.all]),
    ).rowcount


def deliver_next(connection: Connection, receivers: Sequence[Webhook | Email], send: Send) -> Delivery | None:
    """Try the delivery to one of these receivers that has waited longest.

    ``connection`` is in autocommit mode.

    Returns:
        What became of it, or None when none is due.
    """
    by_name = {receiver.name: receiver for receiver in receivers}
    with connection.transaction():
        found = _claim(connection, list(by_name))
    if found is None:
        return None
    alert_id, name, alert = found
    try:
        send(by_name[name], alert)
    except DeliveryError as error:
        connection.execute(
            "update app.alert_deliveries set last_error = %s where alert_id = %s and receiver = %s",
            (str(error), alert_id, name),
        )
        return Delivery(name, alert, str(error))
    connection.execute(
        """
        update app.alert_deliveries
        set status = 'delivered', finished_at = now()
        where alert_id = %s and receiver = %s
        """,
        (alert_id, name),
    )
    return Delivery(name, alert, None)


def _claim(connection: Connection, names: list[str]) -> tuple[int, str, Alert] | None:
    """The delivery that is due, its next attempt put off already."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            """
            select alerts.*, receiver, attempts
            from app.alert_deliveries
            inner join app.alerts using (alert_id)
            where status = 'pending' and next_attempt_at <= now() and receiver = any(%s)
            order by next_attempt_at, alert_id
            limit 1
            for update of alert_deliveries skip locked
            """,
            (names,),
        ).fetchone()
    if row is None:
        return None
    _put_off(connection, row["alert_id"], row["receiver"], row["attempts"] + 1)
    alert = Alert(
        key=row["event_key"],
        event=row["event"],
        title=row["title"],
        detail=row["detail"],
        build_id=row["build_id"],
        refresh_id=row["refresh_id"],
        batch_id=row["batch_id"],
        data_as_of=row["data_as_of"],
        at=row["raised_at"],
    )
    return row["alert_id"], row["receiver"], alert


def _put_off(connection: Connection, alert_id: int, receiver: str, attempts: int) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
    connection.execute(
        """
        update app.alert_deliveries
        set attempts = %s, next_attempt_at = now() + %s
        where alert_id = %s and receiver = %s
        """,
        (attempts, pause, alert_id, receiver),
    )
