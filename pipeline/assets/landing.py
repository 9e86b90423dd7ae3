"""Files → the raw tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

import dagster as dg

from pipeline.assets.session import RefreshSession, progress_listener
from pipeline.builds import refresh_log
from pipeline.landing import BatchResult, LandingRequest, land
from pipeline.landing.inbox import InboxFile, move_loaded, move_refused, settled_files

RAW = ("order_lines", "products", "customers", "quarantine")
COUNTED = ("rows_read", "rows_accepted", "rows_quarantined")


@dg.multi_asset(
    name="land_order_lines",
    group_name="raw",
    specs=[
        dg.AssetSpec(
            ["raw", "order_lines"], kinds={"polars", "postgres"}, description="Accepted order lines."
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
            description="A refused file changes nothing; the refresh goes on without it.",
        ),
    ],
)
def order_lines(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Land the files that were named, or what waits in the inbox."""
    session = refresh_request
    with session.stage("landing"):
        if session.request.files:
            results = _land(session, tuple(map(Path, session.request.files)), session.request.source)
        else:
            results = list(_land_inbox(session))
        refresh_log.add_counts(session.connection, session.refresh_id, _totals(results))
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
    refused = [result for result in results if result.status == "refused"]
    yield dg.AssetCheckResult(
        check_name="no_file_was_refused",
        asset_key=["raw", "order_lines"],
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={result.file_name: result.message or "" for result in refused},
    )


def _land(session: RefreshSession, paths: tuple[Path, ...], source: str) -> list[BatchResult]:
    request = LandingRequest(
        paths=paths,
        source=source,
        mode=cast(Literal["append", "overwrite"], session.request.mode or "append"),
        duplicate_rows=cast(Literal["quarantine", "keep"], session.request.duplicate_rows),
        force=session.request.force,
        requested_by=session.request.requested_by,
        dagster_run_id=session.run_id,
    )
    return land(session.owner_url, request, progress_listener.get())


def _land_inbox(session: RefreshSession) -> Iterator[BatchResult]:
    """Land each settled file, and move it out of the inbox when its outcome is on record.

    A crash in between leaves the file where it is: the next refresh finds it landed already,
    skips it, and moves it.
    """
    settings = session.settings
    for item in settled_files(settings.inbox_folder, settings.inbox_settle_seconds):
        if session.request.sources and item.source not in session.request.sources:
            continue
        [result] = _land(session, (item.path,), item.source)
        _move(session, item, result)
        yield result


def _move(session: RefreshSession, item: InboxFile, result: BatchResult) -> None:
    if result.status == "refused":
        move_refused(session.settings.home, item, result)
    else:
        move_loaded(session.settings.home, item, result)


def _totals(results: list[BatchResult]) -> dict[str, int]:
    return {name: sum(getattr(result, name) for result in results) for name in COUNTED} | {
        "files": len(results)
    }


def _metadata(results: list[BatchResult]) -> dict[str, dg.MetadataValue]:
    seconds = sum(result.seconds for result in results)
    totals = _totals(results)
    return {
        **{name: dg.MetadataValue.int(count) for name, count in totals.items()},
        "rows_per_second": dg.MetadataValue.int(round(totals["rows_read"] / seconds) if seconds else 0),
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
