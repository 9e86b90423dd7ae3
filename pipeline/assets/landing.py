"""Files → the raw tables."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import dagster as dg

from pipeline.assets.mending import asks_to_mend, mend
from pipeline.assets.progress import ProgressReport, outcomes, totals
from pipeline.assets.session import RefreshSession, progress_listener
from pipeline.builds.plan import FIRST_START
from pipeline.jobs.rows import add_result
from pipeline.jobs.running import add_counts, fix_batches
from pipeline.landing import BatchResult, LandingError, LandingRequest, Reporting, land
from pipeline.landing.control_totals import control_totals
from pipeline.landing.feeds import FEEDS
from pipeline.landing.inbox import InboxFile, move_loaded, move_refused, settled_files
from pipeline.settings import get_settings
from pipeline.sources import SourceSettings, read_sources, source_settings

RAW = ("order_lines", "products", "customers", "quarantine", *(feed.table for feed in FEEDS.values()))
# Every refresh looks for files, whether or not it finds any.
WARN_AFTER = timedelta(hours=get_settings().freshness_hours)
FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=WARN_AFTER, fail_window=2 * WARN_AFTER)


@dg.multi_asset(
    name="land_order_lines",
    group_name="raw",
    specs=[
        dg.AssetSpec(
            ["raw", "order_lines"],
            kinds={"polars", "postgres"},
            description="Accepted order lines.",
            freshness_policy=FRESHNESS,
        ),
        dg.AssetSpec(
            ["raw", "products"], kinds={"polars", "postgres"}, description="Product versions as sold."
        ),
        dg.AssetSpec(
            ["raw", "customers"], kinds={"polars", "postgres"}, description="Customer versions as delivered."
        ),
        dg.AssetSpec(
            ["raw", "quarantine"], kinds={"polars", "postgres"}, description="Rows that broke the contract."
        ),
        *(
            dg.AssetSpec(["raw", feed.table], kinds={"polars", "postgres"}, description=f"Accepted {name}.")
            for name, feed in FEEDS.items()
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "batches_are_complete",
            asset=["raw", "order_lines"],
            blocking=True,
            description="rows_read = rows_accepted + rows_quarantined for every batch landed here.",
        ),
        dg.AssetCheckSpec(
            "no_file_was_refused",
            asset=["raw", "order_lines"],
            description="A file that is refused or unreadable changes nothing; the refresh goes on.",
        ),
    ],
)
def order_lines(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Land the files that were named, or what waits in the inbox."""
    session = refresh_request
    with session.stage("landing"):
        if asks_to_mend(session):
            fix_batches(session.connection, session.refresh_id)
            results = mend(session)
        elif session.request.files and _is_late_sample(session):
            results = []
        elif session.request.files:
            results = _land(session, tuple(map(Path, session.request.files)), session.request.source)
        else:
            results = list(_land_inbox(session))
        add_counts(session.connection, session.refresh_id, totals(results))
        if session.request.files or asks_to_mend(session):
            add_result(session.connection, session.refresh_id, {"files": outcomes(results)})
    for result in results:
        context.log.info(f"{result.file_name}: {result.status}. {result.message or ''}")
    for table in RAW:
        yield dg.MaterializeResult(
            asset_key=["raw", table], metadata=_metadata(results) if table == "order_lines" else {}
        )
    unbalanced = [r for r in results if r.rows_read != r.rows_accepted + r.rows_quarantined]
    yield dg.AssetCheckResult(
        check_name="batches_are_complete",
        asset_key=["raw", "order_lines"],
        passed=not any(result.status == "landed" for result in unbalanced),
    )
    refused = [result for result in results if result.status in ("refused", "failed")]
    yield dg.AssetCheckResult(
        check_name="no_file_was_refused",
        asset_key=["raw", "order_lines"],
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={result.file_name: result.message or "" for result in refused},
    )


def _is_late_sample(session: RefreshSession) -> bool:
    """Whether this is the first start's sample, and data of one's own was quicker."""
    if session.request.requested_by != FIRST_START:
        return False
    return (
        session.connection.execute("select 1 from raw.batches where status = 'landed'").fetchone() is not None
    )


def _land(session: RefreshSession, paths: tuple[Path, ...], source: str) -> list[BatchResult]:
    request = LandingRequest(
        paths=paths,
        names=tuple(session.request.file_names),
        source=source,
        settings=source_settings(
            session.settings,
            source,
            feed=session.request.feed,
            mode=session.request.mode,
            duplicate_rows=session.request.duplicate_rows,
        ),
        reporting=Reporting(session.settings.currency, session.settings.time_zone),
        force=session.request.force,
        reopen=session.request.reopen,
        totals=control_totals(
            session.request.expect_rows, session.request.expect_gross, session.request.expect_net
        ),
        originals=session.settings.originals_folder,
        requested_by=session.request.requested_by,
        dagster_run_id=session.run_id,
    )
    report = ProgressReport(session.connection, session.refresh_id, progress_listener.get())
    return land(session.owner_url, request, report)


def _land_inbox(session: RefreshSession) -> Iterator[BatchResult]:
    """Land the settled files, and move each out of the inbox when its outcome is on record.

    A crash in between leaves the file where it is: the next refresh finds it landed already,
    skips it, and moves it.
    """
    settings = session.settings
    # A file that comes from now on is for the next refresh.
    fix_batches(session.connection, session.refresh_id)
    files = settled_files(settings.inbox_folder, settings.inbox_settle_seconds)
    wanted = [file for file in files if not session.request.sources or file.source in session.request.sources]
    for group in _calls(wanted, session.request.mode, read_sources(settings.sources_file)):
        try:
            results = _land(session, tuple(file.path for file in group), group[0].source)
            for file, result in zip(group, results, strict=True):
                _move(session, file, result)
            yield from results
        except (LandingError, OSError) as error:
            # One file that cannot be read or moved must not keep the others waiting.
            yield from (
                BatchResult(None, file.path.name, file.source, "failed", message=str(error)) for file in group
            )


def _calls(
    files: list[InboxFile], mode: str | None, sources: Mapping[str, SourceSettings]
) -> list[list[InboxFile]]:
    """An overwrite's files are the whole truth for their source together; others stand alone.

    So do full deliveries: two that wait are two nights, the older one first.
    """
    calls: dict[str, list[InboxFile]] = {}
    for number, file in enumerate(files):
        own = sources.get(file.source, SourceSettings())
        is_part = (mode or own.mode) == "overwrite" and own.delivery == "partial"
        alone = "" if is_part else f"/{number}"
        calls.setdefault(file.source + alone, []).append(file)
    return list(calls.values())


def _move(session: RefreshSession, item: InboxFile, result: BatchResult) -> None:
    if result.status == "refused":
        move_refused(session.settings.home, item, result)
    else:
        move_loaded(session.settings.home, item, result)


def _metadata(results: list[BatchResult]) -> dict[str, dg.MetadataValue]:
    seconds = sum(result.seconds for result in results)
    counts = totals(results)
    return {
        **{name: dg.MetadataValue.int(count) for name, count in counts.items()},
        "rows_per_second": dg.MetadataValue.int(round(counts["rows_read"] / seconds) if seconds else 0),
        "batches": dg.MetadataValue.md(_batches_table(results)),
        "quarantined": dg.MetadataValue.md(_quarantine_table(results)),
    }


def _batches_table(results: list[BatchResult]) -> str:
    rows = [
        f"| {r.batch_id} | {r.file_name} | {r.source} | {r.status} | {r.rows_read} | {r.rows_accepted} "
        f"| {r.rows_quarantined} | {r.message or ''} |"
        for r in results
    ]
    head = [
        "| batch | file | source | status | read | accepted | quarantined | message |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join(head + rows)


def _quarantine_table(results: list[BatchResult]) -> str:
    """Reasons and line numbers only: the Dagster UI has no login, so no value of a row."""
    rows = []
    for result in results:
        for reason, count in sorted(result.reasons.items()):
            lines = [str(p.row_number) for p in result.quarantine_samples if p.reasons[0] == reason]
            rows.append(f"| {result.file_name} | {reason} | {count} | {', '.join(lines)} |")
    head = ["| file | reason | rows | first lines |", "| --- | --- | --- | --- |"]
    return "\n".join(head + rows)
