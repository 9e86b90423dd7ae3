"""Land the files of one call."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.landing.batches import (
    DeliveredFile,
    LatestDeliveries,
    close_batch,
    deliver,
    latest_deliveries,
    open_batch,
)
from pipeline.landing.checking import FileOutcome, read_and_check
from pipeline.landing.closed_months import changed_months, named, open_again
from pipeline.landing.copying import EncodedChunk, copy_chunk, copy_quarantine, staged
from pipeline.landing.drift import Headers
from pipeline.landing.errors import LandingError
from pipeline.landing.full_delivery import make_staged_tables, store_changes
from pipeline.landing.models import (
    SOURCE_CHARACTERS,
    BatchResult,
    LandingRequest,
    Progress,
    Status,
    is_source_name,
)
from pipeline.landing.originals import keep_original
from pipeline.landing.overwrite_guard import overwrite_refusal
from pipeline.landing.quarantine import QuarantinedRow
from pipeline.landing.tally import Tally
from pipeline.warehouse.connect import connect

ProgressReport = Callable[[Progress], None]
KeepRejects = Callable[[int, Sequence[QuarantinedRow]], None]


def land(connection_url: str, request: LandingRequest, progress: ProgressReport) -> list[BatchResult]:
    """Land a call's files as batches; one result a file, in the order given.

    The caller holds the refresh lock. In append mode each file stands alone; in overwrite mode
    all are landed or none. A refused or skipped file is a result, not an error.

    Raises:
        LandingError: a file cannot be opened (then nothing was written), or landing broke off
            (then the batches it was at are ``failed``).
    """
    _require_usable(request)
    files = _delivered(request)
    with connect(connection_url) as connection:
        call = _Call(connection, request, progress)
        try:
            return call.land(files)
        except BaseException as error:
            call.fail_open_batches(error)
            if isinstance(error, psycopg.Error):
                raise LandingError(f"the database broke off the landing: {_first_line(error)}") from error
            raise


def check(
    request: LandingRequest, progress: ProgressReport, keep_rejects: KeepRejects | None = None
) -> list[BatchResult]:
    """Read and check a call's files exactly as ``land`` does, and write nothing.

    All files are read, also those after a refused one. What only the warehouse knows is not
    checked: whether a file would be skipped, and how much an overwrite would delete. ``keep_rejects``
    gets every row that would be quarantined, with its file's place in the call (from 1).

    Raises:
        LandingError: a file cannot be opened, or changed while it was read.
    """
    _require_usable(request)
    files = _delivered(request)
    outcomes = [
        read_and_check(file, request, 0, partial(_keep, keep_rejects, number), progress)
        for number, file in enumerate(files, start=1)
    ]
    shared = _shared_refusal(files, outcomes) if request.mode == "overwrite" else None
    results = []
    for file, outcome in zip(files, outcomes, strict=True):
        refusal = outcome.refusal or shared
        status: Status = "refused" if refusal else "checked"
        results.append(outcome.result(request, file, None, status, refusal or outcome.note))
    return results


class _Call:
    """The landing of one call, over one connection."""

    def __init__(
        self, connection: Connection[TupleRow], request: LandingRequest, progress: ProgressReport
    ) -> None:
        self._connection = connection
        self._request = request
        self._progress = progress
        self._call_id: int | None = None
        self._open: list[int] = []

    def land(self, files: Sequence[DeliveredFile]) -> list[BatchResult]:
        latest = latest_deliveries(self._connection, self._request.source, self._request.feed)
        if latest and _equals_call(files, latest, self._request):
            pairs = zip(files, latest.call, strict=True)
            return [self._skip(file, delivery.batch_id) for file, delivery in pairs]
        if self._request.mode == "overwrite":
            return self._land_together(files, latest)
        return [self._append(file) for file in files]

    def _append(self, file: DeliveredFile) -> BatchResult:
        latest = latest_deliveries(self._connection, self._request.source, self._request.feed)
        if latest and latest.batch.equals(file, self._request):
            return self._skip(file, latest.batch.batch_id)
        return self._land_together([file], latest)[0]

    def _skip(self, file: DeliveredFile, equal_batch_id: int) -> BatchResult:
        message = f"the same file, read the same way, is batch {equal_batch_id}; nothing to land"
        batch_id = self._open_batches([file])[0]
        close_batch(self._connection, batch_id, "skipped", Tally(), message)
        self._commit()
        return FileOutcome().result(self._request, file, batch_id, "skipped", message)

    def _land_together(
        self, files: Sequence[DeliveredFile], latest: LatestDeliveries | None
    ) -> list[BatchResult]:
        """Land files in one transaction: all of them, or none."""
        batch_ids = self._open_batches(files)
        self._connection.commit()
        if self._request.is_compared:
            make_staged_tables(self._connection)
        outcomes: list[FileOutcome] = []
        for file, batch_id in zip(files, batch_ids, strict=True):
            outcomes.append(self._copy_file(file, batch_id, latest.batch.headers if latest else None))
            if outcomes[-1].refusal:
                break
        else:
            refusal = self._refusal_of_call(batch_ids, outcomes)
            for outcome in outcomes:
                outcome.refusal = refusal
        if any(outcome.refusal for outcome in outcomes):
            return self._refuse(files, batch_ids, outcomes)
        for file, batch_id, outcome in zip(files, batch_ids, outcomes, strict=True):
            keep_original(self._request.originals, file)
            unchanged = outcome.rows_unchanged if self._request.is_compared else None
            close_batch(
                self._connection,
                batch_id,
                "landed",
                outcome.tally,
                outcome.note,
                unchanged,
                outcome.headers,
            )
        self._commit()
        return [
            outcome.result(self._request, file, batch_id, "landed", outcome.note)
            for file, batch_id, outcome in zip(files, batch_ids, outcomes, strict=True)
        ]

    def _refusal_of_call(self, batch_ids: Sequence[int], outcomes: Sequence[FileOutcome]) -> str | None:
        """Why what was read may not take effect, if so. What a full delivery changes is stored here."""
        request, connection = self._request, self._connection
        if request.mode == "overwrite" and not request.force:
            lines = staged("order_lines") if request.is_compared else sql.Identifier("raw", "order_lines")
            refusal = overwrite_refusal(connection, request.source, batch_ids, lines)
            if refusal:
                return refusal
        if request.is_compared:
            stored = store_changes(connection, request.source, batch_ids)
            for batch_id, outcome in zip(batch_ids, outcomes, strict=True):
                outcome.rows_unchanged = outcome.tally.rows_accepted - stored.get(batch_id, 0)
        deletes = request.mode == "overwrite" and not request.is_compared
        changed = changed_months(connection, request.source, request.feed, batch_ids, deletes=deletes)
        if changed.months and not request.reopen:
            return changed.refusal
        if changed.months:
            open_again(connection, changed.months)
            for outcome in outcomes:
                outcome.notes.append(f"opened closed months again: {named(changed.months)}")
        return None

    def _copy_file(self, file: DeliveredFile, batch_id: int, headers_before: Headers | None) -> FileOutcome:
        with self._connection.cursor() as cursor:
            store: Callable[[EncodedChunk], None] = partial(
                copy_chunk, cursor, batch_id=batch_id, is_staged=self._request.is_compared
            )
            return read_and_check(
                file, self._request, batch_id, store, self._progress, headers_before=headers_before
            )

    def _refuse(
        self, files: Sequence[DeliveredFile], batch_ids: Sequence[int], outcomes: Sequence[FileOutcome]
    ) -> list[BatchResult]:
        """Take back what was copied; keep the counts, the reasons and the first bad rows."""
        self._connection.rollback()
        shared = _shared_refusal(files, outcomes)
        results = []
        for at, (file, batch_id) in enumerate(zip(files, batch_ids, strict=True)):
            outcome = outcomes[at] if at < len(outcomes) else FileOutcome()
            message = outcome.refusal or shared
            close_batch(self._connection, batch_id, "refused", outcome.tally, message)
            with self._connection.cursor() as cursor:
                copy_quarantine(cursor, outcome.first_quarantined, batch_id)
            results.append(outcome.result(self._request, file, batch_id, "refused", message))
        self._commit()
        return results

    def _open_batches(self, files: Sequence[DeliveredFile]) -> list[int]:
        batch_ids = []
        for file in files:
            batch_id = open_batch(self._connection, self._request, file, self._call_id)
            self._call_id = self._call_id or batch_id
            batch_ids.append(batch_id)
        self._open = batch_ids
        return batch_ids

    def _commit(self) -> None:
        self._connection.commit()
        self._open = []

    def fail_open_batches(self, error: BaseException) -> None:
        """Mark the batches at hand as failed; a lost connection leaves that to ``close_orphans``."""
        message = _first_line(error) if isinstance(error, Exception) else "interrupted"
        with contextlib.suppress(psycopg.Error):
            self._connection.rollback()
            for batch_id in self._open:
                close_batch(self._connection, batch_id, "failed", Tally(), message)
            self._connection.commit()


def _keep(keep_rejects: KeepRejects | None, number: int, chunk: EncodedChunk) -> None:
    if keep_rejects is not None and chunk.quarantine:
        keep_rejects(number, chunk.quarantine)


def _delivered(request: LandingRequest) -> list[DeliveredFile]:
    names = request.names or (None,) * len(request.paths)
    return [deliver(path, name) for path, name in zip(request.paths, names, strict=True)]


def _shared_refusal(files: Sequence[DeliveredFile], outcomes: Sequence[FileOutcome]) -> str | None:
    """Why files of an overwrite are refused that have no fault of their own, if one of them has."""
    # There are fewer outcomes than files where reading ended at the refused one.
    for file, outcome in zip(files, outcomes, strict=False):
        if outcome.refusal:
            return f"refused because {file.name}, a part of the same overwrite, was refused"
    return None


def _equals_call(files: Sequence[DeliveredFile], latest: LatestDeliveries, request: LandingRequest) -> bool:
    return len(files) == len(latest.call) and all(
        delivery.equals(file, request) for delivery, file in zip(latest.call, files, strict=True)
    )


def _require_usable(request: LandingRequest) -> None:
    if not request.paths:
        raise LandingError("no file was named: name at least one")
    if not is_source_name(request.source):
        raise LandingError(
            f"{request.source!r} cannot be a source's name: use up to {SOURCE_CHARACTERS} characters, "
            "no slashes, no blanks at its ends, no dot at its start"
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
