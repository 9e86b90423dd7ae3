"""What a refresh may do to batches that have landed, in place of landing files."""

from pathlib import Path

from pipeline.assets.session import RefreshSession
from pipeline.landing import BatchResult, LandingError, Reporting
from pipeline.landing.replaying import ReplayRequest, replay
from pipeline.landing.voiding import VoidRequest, find_batch, is_recorded, void
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
    if [bool(request.void), bool(request.restore), request.replay is not None].count(True) > 1:
        raise LandingError("void, restore and replay are asked for one at a time")
    if request.replay is not None:
        return _replay(session, request.replay)
    return void(
        session.connection,
        VoidRequest(
            batch_ids=tuple(request.void or request.restore),
            restores=bool(request.restore),
            reopen=request.reopen,
            requested_by=request.requested_by,
            job_id=session.refresh_id,
        ),
    )


def _replay(session: RefreshSession, batch_id: int) -> list[BatchResult]:
    request = session.request
    # The process may have died after the replay, and this is the second try: the build is left to do.
    if is_recorded(session.connection, batch_id, session.refresh_id):
        return []
    batch = find_batch(session.connection, batch_id)
    result = replay(
        session.connection,
        ReplayRequest(
            batch_id=batch_id,
            settings=source_settings(
                session.settings, batch.source, feed=batch.feed, duplicate_rows=request.duplicate_rows
            ),
            originals=session.settings.originals_folder,
            reporting=Reporting(session.settings.currency, session.settings.time_zone),
            corrected=Path(request.files[0]) if request.files else None,
            reopen=request.reopen,
            requested_by=request.requested_by,
            job_id=session.refresh_id,
        ),
    )
    return [result]
