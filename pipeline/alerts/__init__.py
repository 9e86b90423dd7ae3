"""Who is told when a build fails, is late or looks odd, or when a file was refused."""

from pipeline.alerts.errors import AlertsError, DeliveryError
from pipeline.alerts.receivers import Receivers, read_receivers
from pipeline.alerts.sending import send, trial_alert
from pipeline.alerts.watch import Outcome, look

__all__ = [
    "AlertsError",
    "DeliveryError",
    "Outcome",
    "Receivers",
    "look",
    "read_receivers",
    "send",
    "trial_alert",
]
