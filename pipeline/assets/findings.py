"""The findings report of a build."""

import time
from datetime import UTC, datetime

import dagster as dg
from psycopg import sql

from pipeline.answers.snapshots import read_only_snapshot
from pipeline.assets.session import RefreshSession
from pipeline.findings.keeping import keep_report
from pipeline.findings.page import Report, make_report
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls


@dg.asset(
    key=["docs", "findings"],
    group_name="published",
    deps=[["core", "fct_order_lines"], ["marts", "revenue_anomalies"], ["marts", "customer_orders"]],
    kinds={"html"},
)
def findings(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> dg.MaterializeResult[None]:
    """The story of the last whole month, once readers see the numbers; without it a refresh is as good."""
    started = time.monotonic()
    try:
        report = keep_current(refresh_request.settings)
    except Exception as error:
        context.log.warning(f"There is no findings report of this build: {error}", exc_info=True)
        return dg.MaterializeResult(
            metadata={"is_written": False, "error": f"{type(error).__name__}: {error}"}
        )
    return dg.MaterializeResult(
        metadata={
            "is_written": True,
            "build_id": report.build_id,
            "period": f"{report.span.start} to {report.span.end}",
            "seconds": round(time.monotonic() - started, 3),
        }
    )


def keep_current(settings: Settings) -> Report:
    """Make the report of what is published now, and keep it under its build.

    Raises:
        QueryError: nothing is published.
        OSError: it cannot be written.
    """
    timeout = sql.Literal(f"{settings.statement_timeout_seconds}s")
    with connect(database_urls(settings).reader) as connection:
        read_only_snapshot(connection)
        connection.execute(sql.SQL("set local statement_timeout = {}").format(timeout))
        report = make_report(
            connection,
            None,
            None,
            currency=settings.currency,
            time_zone=settings.time_zone,
            made_at=datetime.now(UTC),
        )
    keep_report(settings.findings_folder, report.build_id, report.html)
    return report
