"""What a refresh may do to batches that have landed, in place of landing files."""

from pathlib import Path

from pipeline.assets.session import RefreshSession
from pipeline.landing import BatchResult, Reporting
from pipeline.landing.replaying import ReplayRequest, replay
from pipeline.landing.voiding import VoidRequest, find_batch, void
from pipeline.sources import source_settings


def asks_to_mend(session: RefreshSession) -> bool:
    """Whether the refresh was asked to void, restore or replay batches."""
    request = session.request
    return bool(request.void or request.restore or request.replay is not None)


def mend(session: RefreshSession) -> list[BatchResult]:
    """Void, restore or replay batches, as the refresh was asked; the build takes it into the numbers.

    Raises:
        LandingError: it cannot be done; nothing was changed.
    """
    request = session.request
    if request.replay is not None:
        return [_replay(session, request.replay)]
    return void(
        session.connection,
        VoidRequest(
            batch_ids=tuple(request.void or request.restore),
            restores=bool(request.restore),
            reopen=request.reopen,
            requested_by=request.requested_by,
            dagster_run_id=session.run_id,
        ),
    )


def _replay(session: RefreshSession, batch_id: int) -> BatchResult:
    request = session.request
    source = find_batch(session.connection, batch_id).source
    return replay(
        session.connection,
        ReplayRequest(
            batch_id=batch_id,
            settings=source_settings(session.settings, source, duplicate_rows=request.duplicate_rows),
            originals=session.settings.originals_folder,
            reporting=Reporting(session.settings.currency, session.settings.time_zone),
            corrected=Path(request.files[0]) if request.files else None,
            reopen=request.reopen,
            requested_by=request.requested_by,
            dagster_run_id=session.run_id,
        ),
    )
