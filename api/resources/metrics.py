"""Metrics: figures of the service, of the newest build and of what was quarantined, for Prometheus."""

from collections.abc import Iterator
from typing import Any

import psycopg
from apiflask import APIBlueprint
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from psycopg_pool import PoolTimeout

from api import observing
from api.access import requires
from api.database import Database
from api.services import services

blueprint = APIBlueprint("metrics", __name__, tag="Health")

TEXT: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}}
}


@blueprint.get("/metrics")
@blueprint.doc(responses=TEXT)
@requires("analytics:read", regional=False)
def get_metrics() -> Response:
    """Figures for Prometheus.

    What Postgres knows is read in one snapshot; while it is away, those figures are absent and
    `tillhouse_up{part="postgres"}` is 0. Routes are patterns, so no label grows with the data.
    """
    newest = CollectorRegistry()
    newest.register(Published(services().database))
    body = generate_latest(observing.metrics().registry) + generate_latest(newest)
    return Response(body, content_type=CONTENT_TYPE_LATEST)


class Published(Collector):
    """What Postgres says at the time of asking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> list[Metric]:
        """Nothing: to be registered must not mean to be asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of one snapshot, and the service's own records."""
        try:
            with self._database.snapshot() as connection:
                found = [*_build(connection), *_quarantined(connection)]
            with self._database.writing() as connection:
                found += _jobs(connection)
        except (psycopg.Error, PoolTimeout):
            found = []
            is_up = 0
        else:
            is_up = 1
        up = GaugeMetricFamily("tillhouse_up", "Whether a part answers.", labels=["part"])
        up.add_metric(["postgres"], is_up)
        yield from (up, *found)


def _build(connection: psycopg.Connection) -> list[Metric]:
    row = connection.execute(
        """
        select
            build_id,
            extract(epoch from now() - built_at),
            extract(epoch from data_as_of::timestamp at time zone 'UTC'),
            seconds
        from core.builds where status = 'published' order by build_id desc limit 1
        """
    ).fetchone()
    if row is None:
        return []
    build_id, age, data_as_of, seconds = row
    info = GaugeMetricFamily("tillhouse_build_info", "The newest published build.", labels=["build_id"])
    info.add_metric([str(build_id)], 1)
    stages = GaugeMetricFamily(
        "tillhouse_build_seconds", "How long the newest build's stages took.", labels=["stage"]
    )
    for stage, taken in sorted(seconds.items()):
        stages.add_metric([stage], taken)
    figures: list[Metric] = [
        info,
        stages,
        GaugeMetricFamily("tillhouse_build_age_seconds", "Time since the newest build was published.", age),
    ]
    if data_as_of is not None:
        help_text = "The latest published sale date, as the Unix time of its start in UTC."
        figures.append(GaugeMetricFamily("tillhouse_data_as_of", help_text, data_as_of))
    return figures


def _quarantined(connection: psycopg.Connection) -> list[Metric]:
    """Rows by their first reason; the reasons are those of the contract, some forty."""
    rows = connection.execute(
        """
        select reason, sum(counted::bigint)
        from core.batches cross join lateral jsonb_each_text(reasons) as by_reason (reason, counted)
        where status in ('landed', 'voided')
        group by reason order by reason
        """
    ).fetchall()
    family = CounterMetricFamily(
        "tillhouse_quarantined_rows", "Rows of landed batches that were quarantined.", labels=["reason"]
    )
    for reason, count in rows:
        family.add_metric([reason], float(count))
    return [family]


def _jobs(connection: psycopg.Connection) -> list[Metric]:
    rows = connection.execute(
        """
        select kind, status, count(*)
        from app.jobs where status in ('queued', 'running')
        group by kind, status
        """
    ).fetchall()
    family = GaugeMetricFamily("tillhouse_jobs", "Jobs in flight.", labels=["kind", "status"])
    for kind, status, count in rows:
        family.add_metric([kind, status], count)
    return [family]
