"""An alert on its way to one receiver."""

from uuid import uuid4

from pipeline.alerts.mail import mail
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Email, Webhook
from pipeline.alerts.webhook import post


def send(receiver: Webhook | Email, alert: Alert) -> None:
    """Hand an alert to a receiver.

    Raises:
        DeliveryError: it was not taken.
    """
    match receiver:
        case Webhook():
            post(receiver, alert)
        case Email():
            mail(receiver, alert)


def trial_alert() -> Alert:
    """An alert about nothing, to try a receiver with."""
    return Alert(
        key=f"test:{uuid4()}",
        event="test",
        title="this is a test",
        detail="Somebody ran `tillhouse alerts test`. Nothing is wrong.",
    )
