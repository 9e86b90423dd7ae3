"""Alerts as JSON, sent to an address by POST."""

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from pipeline.alerts.errors import DeliveryError
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Webhook, secret

SIGNATURE = "X-Tillhouse-Signature"
TIMEOUT_SECONDS = 5.0
# Before the second and the third try; after that, the delivery waits for its next turn.
PAUSES_SECONDS = (0.5, 1.0)


def post(webhook: Webhook, alert: Alert) -> None:
    """Send an alert, with up to three tries.

    Raises:
        DeliveryError: the receiver cannot be reached, or answers with anything but a success.
    """
    body = json.dumps(payload(alert), ensure_ascii=False).encode()
    headers = {name: value.get_secret_value() for name, value in webhook.headers.items()}
    headers |= {"Content-Type": "application/json", "User-Agent": "Tillhouse"}
    if webhook.secret_env is not None:
        headers[SIGNATURE] = signature(body, secret(webhook.secret_env))
    for pause in PAUSES_SECONDS:
        try:
            return _post_once(webhook, body, headers)
        except DeliveryError as error:
            if not error.is_passing:
                raise
        time.sleep(pause)
    return _post_once(webhook, body, headers)


def payload(alert: Alert) -> dict[str, Any]:
    """The JSON body; ``id`` is the same when an alert comes twice, after a crash between two steps."""
    return {
        "id": alert.key,
        "event": alert.event,
        "title": alert.title,
        "detail": alert.detail,
        "build_id": alert.build_id,
        "refresh_id": str(alert.refresh_id) if alert.refresh_id else None,
        "batch_id": alert.batch_id,
        "data_as_of": alert.data_as_of.isoformat() if alert.data_as_of else None,
        "at": alert.written_at,
        "links": alert.links,
    }


def signature(body: bytes, key: str) -> str:
    """``sha256=`` and the HMAC of the body's bytes, in hexadecimal."""
    return f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"


def _post_once(webhook: Webhook, body: bytes, headers: dict[str, str]) -> None:
    # The texts of httpx's errors name the address, which may be a secret: only their kind is told.
    try:
        # Nobody reads the answer's body, however long it takes.
        with httpx.stream(
            "POST", webhook.url.get_secret_value(), content=body, headers=headers, timeout=TIMEOUT_SECONDS
        ) as response:
            status = response.status_code
    except httpx.TimeoutException:
        raise DeliveryError(f"no answer within {TIMEOUT_SECONDS:g} seconds", is_passing=True) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DeliveryError(f"cannot be reached ({type(error).__name__})", is_passing=True) from None
    if not response.is_success:
        raise DeliveryError(f"answered {status}", is_passing=status >= 500 or status == 429)
