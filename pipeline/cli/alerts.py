"""`tillhouse alerts check|test`."""

import click

from pipeline.alerts import AlertsError, DeliveryError, Receivers, read_receivers, send, trial_alert
from pipeline.alerts.receivers import EXAMPLE, Email, Webhook, secret
from pipeline.cli.output import print_table
from pipeline.settings import get_settings


@click.group()
def alerts() -> None:
    """Who is told when something goes wrong: check the file, try the receivers."""


@alerts.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Check alerts.toml, and that every secret it names is in the environment; exit code 1 if not."""
    rows = [(one.name, _kind(one), ", ".join(one.on), _missing(one) or "ok") for one in _receivers().all]
    print_table(["receiver", "kind", "told of", "state"], rows)
    context.exit(0 if all(row[-1] == "ok" for row in rows) else 1)


@alerts.command()
@click.pass_context
def test(context: click.Context) -> None:
    """Send a test alert to every receiver; exit code 1 when one did not take it."""
    alert = trial_alert()
    outcomes = []
    for receiver in _receivers().all:
        try:
            send(receiver, alert)
            outcomes.append((receiver.name, "delivered"))
        except DeliveryError as error:
            outcomes.append((receiver.name, str(error)))
    print_table(["receiver", "outcome"], outcomes)
    context.exit(0 if all(outcome == "delivered" for _, outcome in outcomes) else 1)


def _receivers() -> Receivers:
    file = get_settings().alerts_file
    found = read_receivers(file)
    if found is None:
        raise AlertsError(f"there is no {file}: copy {EXAMPLE} there and fill it in")
    return found


def _kind(receiver: Webhook | Email) -> str:
    return "webhook" if isinstance(receiver, Webhook) else f"e-mail by {receiver.host}"


def _missing(receiver: Webhook | Email) -> str | None:
    variable = receiver.secret_env if isinstance(receiver, Webhook) else receiver.password_env
    try:
        if variable is not None:
            secret(variable)
    except DeliveryError as error:
        return str(error)
    return None
