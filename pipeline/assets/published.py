"""The candidate → what readers see, and the lineage docs."""

from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg
from psycopg.types.json import Jsonb

from pipeline.assets.session import RefreshSession
from pipeline.builds.anomalies import NEWEST_DAYS, Anomaly, anomalies_of_build
from pipeline.builds.dbt_runner import load_manifest
from pipeline.builds.declarations import Published, read_declarations
from pipeline.builds.lineage import lineage_page, renew_lineage
from pipeline.builds.publish import Publication, analyze_published, publish
from pipeline.settings import get_settings

DECLARATIONS = read_declarations(load_manifest(get_settings()))
FACT = dg.AssetKey(["core", "fct_order_lines"])
ANOMALIES = dg.AssetKey(["marts", "revenue_anomalies"])


def _spec(item: Published) -> dg.AssetSpec:
    return dg.AssetSpec(
        [item.schema, item.table],
        deps=[["candidate", item.model]],
        group_name="published",
        kinds={"postgres"},
        description=f"What readers see of {item.model}.",
    )


def make_visible(session: RefreshSession) -> None:
    """Publish the candidate, all of it in one transaction."""
    assert session.build is not None
    with session.stage("publish"):
        session.publication = publish(
            session.connection,
            session.build,
            DECLARATIONS,
            refresh_id=session.refresh_id,
            run_id=session.run_id,
        )
    session.connection.execute(
        "update core.builds set seconds = %s where build_id = %s",
        (Jsonb(session.seconds), session.build.build_id),
    )
    if session.build.is_full:
        analyze_published(session.connection, DECLARATIONS)


@dg.multi_asset(
    name="publish",
    specs=[_spec(item) for item in DECLARATIONS],
    check_specs=[
        dg.AssetCheckSpec(
            "full_build_finds_no_difference",
            asset=FACT,
            description="A full build without new batches must leave every row as it was.",
        ),
        dg.AssetCheckSpec(
            "revenue_is_as_expected",
            asset=ANOMALIES,
            description=f"No changed day of the newest {NEWEST_DAYS} is far from what was expected.",
        ),
    ],
)
def publish_build(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Tell Dagster what was published: readers have it since the candidate passed its checks."""
    session = refresh_request
    publication = session.publication
    assert publication is not None
    context.log.info(publication.message)
    for item in DECLARATIONS:
        changed = publication.rows_changed[item.to]
        metadata: dict[str, int | str] = {f"rows_{what}": count for what, count in changed.items()}
        yield dg.MaterializeResult(
            asset_key=[item.schema, item.table],
            metadata=metadata | (_metadata(publication) if item.to == "core.fct_order_lines" else {}),
        )
    difference = sum(sum(changed.values()) for changed in publication.rows_changed.values())
    expected = publication.new_batches > 0 or not publication.is_full
    yield dg.AssetCheckResult(
        check_name="full_build_finds_no_difference",
        asset_key=FACT,
        passed=expected or difference == 0,
        metadata={"rows_that_differed": 0 if expected else difference},
    )
    yield _revenue_check(anomalies_of_build(session.connection, publication.build_id))


def _revenue_check(anomalies: list[Anomaly]) -> dg.AssetCheckResult:
    """A warning: sales may be as they are, and nobody but the shop can know."""
    days = [{name: str(value) for name, value in asdict(anomaly).items()} for anomaly in anomalies]
    return dg.AssetCheckResult(
        check_name="revenue_is_as_expected",
        asset_key=ANOMALIES,
        passed=not anomalies,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"days": dg.MetadataValue.json(days)},
    )


def _metadata(publication: Publication) -> dict[str, int | str]:
    return {
        "build_id": publication.build_id,
        "kind": "full" if publication.is_full else "delta",
        "data_as_of": str(publication.data_as_of),
        "lines_added": publication.lines_added,
        "lines_removed": publication.lines_removed,
        "dates_changed": publication.dates_changed,
        "net_revenue_before": str(publication.net_revenue_before),
        "net_revenue_after": str(publication.net_revenue_after),
    }


@dg.asset(
    key=["docs", "lineage"],
    group_name="published",
    deps=[FACT],
    kinds={"dbt"},
)
def lineage_docs(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> dg.MaterializeResult[None]:
    """The dbt docs as one static page, made anew when the dbt project has changed."""
    session = refresh_request
    is_new = renew_lineage(session.settings, session.owner_url)
    if is_new:
        context.log.info(f"Lineage docs written to {lineage_page(session.settings)}.")
    return dg.MaterializeResult(metadata={"rebuilt": is_new})
