"""An alert on its way to one receiver."""

from threading import Thread
from uuid import uuid4

from pipeline.alerts.errors import DeliveryError
from pipeline.alerts.mail import mail
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Email, Webhook
from pipeline.alerts.webhook import post

# All of one delivery. The time limits of sockets are for each step: a receiver that sends a byte now and
# then keeps within them for ever.
DEADLINE_SECONDS = 20.0

# Deliveries that went on beyond it, by the names of their receivers: at most one each.
_late: dict[str, Thread] = {}


def send(receiver: Webhook | Email, alert: Alert) -> None:
    """Hand an alert to a receiver.

    Raises:
        DeliveryError: it was not taken, whatever the reason, or not in time.
    """
    late = _late.get(receiver.name)
    if late is not None and late.is_alive():
        raise DeliveryError("has not ended an earlier delivery yet")
    failures: list[DeliveryError] = []
    thread = Thread(target=_deliver, args=(receiver, alert, failures), daemon=True)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    if thread.is_alive():
        _late[receiver.name] = thread
        raise DeliveryError(f"took longer than {DEADLINE_SECONDS:g} seconds")
    if failures:
        raise failures[0]


def trial_alert() -> Alert:
    """An alert about nothing, to try a receiver with."""
    return Alert(
        key=f"test:{uuid4()}",
        event="test",
        title="this is a test",
        detail="Somebody ran `tillhouse alerts test`. Nothing is wrong.",
    )


def _deliver(receiver: Webhook | Email, alert: Alert, failures: list[DeliveryError]) -> None:
    try:
        match receiver:
            case Webhook():
                post(receiver, alert)
            case Email():
                mail(receiver, alert)
    except DeliveryError as error:
        failures.append(error)
    except Exception as error:
        # Its text may hold a secret.
        failures.append(DeliveryError(f"could not be sent ({type(error).__name__})"))
