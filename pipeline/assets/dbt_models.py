"""The candidate: what a build takes in, the dbt models that make it, and that it is published."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from psycopg.types.json import Jsonb

from pipeline.answers.numbers import minor_digits
from pipeline.assets.landing import RAW
from pipeline.assets.published import make_visible
from pipeline.assets.session import RefreshSession
from pipeline.builds.dbt_runner import (
    NodeResult,
    build_candidate,
    ensure_manifest,
    failing_rows,
)
from pipeline.builds.plan import SAMPLE_LEAVES, start_build
from pipeline.jobs.rows import finish
from pipeline.jobs.running import fix_batches
from pipeline.settings import get_settings

UNIQUE_ID = "dagster_dbt/unique_id"
NOT_ASSETS = ("published_core", "published_marts", "raw.batches")


class Translator(DagsterDbtTranslator):
    """Names the models after the candidate schema that they are made in.

    The published tables, which the models read to know what changes, are no upstream assets:
    they are what ``publish`` makes of these models, and the graph would be a ring.
    """

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any = None
    ) -> dg.AssetSpec:
        """The asset of one model or source."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        deps = [dep for dep in spec.deps if not ".".join(dep.asset_key.path).startswith(NOT_ASSETS)]
        return spec.replace_attributes(deps=deps)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """``candidate/<model>``, and a source's own ``<source>/<table>``."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey(["candidate", dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: staging, core or marts."""
        return str(dbt_resource_props["fqn"][1])


TRANSLATOR = Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=False))


@dg.multi_asset(
    name="plan_build",
    group_name="build",
    specs=[
        dg.AssetSpec(
            ["build", "build"],
            deps=[["raw", table] for table in RAW],
            skippable=True,
            kinds={"postgres"},
            description="The build, and whether it is a full one.",
        ),
        dg.AssetSpec(
            ["build", "build_batches"],
            deps=[["raw", table] for table in RAW],
            skippable=True,
            kinds={"postgres"},
            description="The landed batches that the build takes in.",
        ),
    ],
)
def plan_build(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> Iterator[dg.MaterializeResult[None]]:
    """Fix the list of batches; without a new one there is nothing to build and the run ends well."""
    session = refresh_request
    with session.stage("plan"):
        session.build = start_build(
            session.connection,
            session.declarations(),
            full=session.request.full,
            minor_digits=minor_digits(session.settings.currency),
            requested_by=session.request.requested_by,
            dagster_run_id=session.run_id,
            refresh_id=session.refresh_id,
        )
        build = session.build
        if build is None:
            fix_batches(session.connection, session.refresh_id)
            message = "No new data: the numbers are as they were."
            context.log.info(message)
            finish(session.connection, session.refresh_id, session.run_id, "succeeded", message)
            return
    if build.sample_retired:
        context.log.info(SAMPLE_LEAVES)
    yield dg.MaterializeResult(
        asset_key=["build", "build"],
        metadata={"build_id": build.build_id, "kind": "full" if build.is_full else "delta"},
    )
    yield dg.MaterializeResult(
        asset_key=["build", "build_batches"],
        metadata={"batches": dg.MetadataValue.text(", ".join(map(str, build.batch_ids)))},
    )


@dbt_assets(
    manifest=ensure_manifest(get_settings()),
    dagster_dbt_translator=TRANSLATOR,
    name="dbt_models",
)
def dbt_models(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Make the candidate, audit it, publish it; a failed test ends the refresh with nothing published.

    Dagster is told of each model and test afterwards: it takes longer to write that down than to
    build a small change, and readers need not wait for it.
    """
    session = refresh_request
    assert session.build is not None
    with session.stage("dbt"):
        results = build_candidate(session.settings, session.owner_url, full=session.build.is_full)
        problems = [result for result in results if result.status in ("error", "fail")]
        if problems:
            yield from _asset_events(context, results)
            raise dg.Failure(description=_record_failures(session, problems), allow_retries=False)
    make_visible(session)
    yield from _asset_events(context, results)


def _asset_events(
    context: dg.AssetExecutionContext, results: list[NodeResult]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    checks = {spec.metadata[UNIQUE_ID]: spec for spec in context.assets_def.check_specs}
    for result in results:
        if result.kind == "model" and result.passed:
            yield dg.MaterializeResult(
                asset_key=["candidate", result.name], metadata={"seconds": round(result.seconds, 3)}
            )
    for result in results:
        spec = checks.get(result.unique_id)
        if spec is not None and result.status != "skipped":
            yield dg.AssetCheckResult(
                check_name=spec.name,
                asset_key=spec.asset_key,
                passed=result.passed,
                metadata={"failures": result.failures or 0, "message": result.message or ""},
            )


def _record_failures(session: RefreshSession, problems: list[NodeResult]) -> str:
    """Keep which checks failed, with their first rows, on the build; returns the message."""
    assert session.build is not None
    failed = [
        {
            "check": result.name,
            "message": result.message,
            "failures": result.failures,
            "rows": failing_rows(session.connection, result),
        }
        for result in problems
    ]
    session.connection.execute(
        "update core.builds set failed_checks = %s where build_id = %s",
        (Jsonb(failed), session.build.build_id),
    )
    names = ", ".join(f"{result.name} ({result.message})" for result in problems)
    return (
        f"Build {session.build.build_id} was not published, the numbers are as they were: "
        f"{len(problems)} check(s) failed: {names}"
    )
