"""The sensor that tells people of what went wrong."""

import dagster as dg

from pipeline.alerts import look, read_receivers
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect, database_urls


@dg.sensor(name="alerts", minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tell the receivers of alerts.toml of builds that failed, are late or look odd, and of refused files.

    It looks at the records in Postgres, so that a refresh of the command line counts as well.
    """
    settings = get_settings()
    receivers = read_receivers(settings.alerts_file)
    if receivers is None:
        return dg.SkipReason(f"Nobody is to be told: there is no {settings.alerts_file}.")
    url = database_urls(settings).owner
    with connect(url, autocommit=True, application_name="tillhouse-alerts") as connection:
        return dg.SkipReason(look(connection, settings, receivers).message)
