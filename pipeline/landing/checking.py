"""One file, read and checked from beginning to end; what a landing and a dry run share."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.landing.batches import DeliveredFile
from pipeline.landing.blocks import BLOCK_BYTES, FileIdentity, identity_of
from pipeline.landing.columns import ColumnMap
from pipeline.landing.control_totals import Found, mismatch, read_side_file
from pipeline.landing.copying import EncodedChunk, encode
from pipeline.landing.dates import ISO, FoundFormat, find_format
from pipeline.landing.drift import Headers, drift_note
from pipeline.landing.errors import FileRefused, LandingError
from pipeline.landing.feeds import checker_of
from pipeline.landing.models import SAMPLES_KEPT, BatchResult, LandingRequest, Progress, RowProblem, Status
from pipeline.landing.opening import OrderLines, open_order_lines
from pipeline.landing.prefetch import prefetched
from pipeline.landing.quarantine import QuarantinedRow
from pipeline.landing.tally import Tally
from pipeline.sources import FEEDS, ORDER_LINES, SourceSettings

# Of a refused file so much is kept to look at.
REFUSED_ROWS_KEPT = 1_000
_REFUSED_CHARACTERS_KEPT = 16_000_000
_CHUNKS_AHEAD = 1
# For most files the first block tells how dates are written.
_DATES_BLOCK_BYTES = 1024 * 1024


@dataclass
class FileOutcome:
    """What reading a file came to. ``refusal`` says why it may not be landed, if so."""

    tally: Tally = field(default_factory=Tally)
    refusal: str | None = None
    notes: list[str] = field(default_factory=list)
    headers: Headers | None = None
    first_quarantined: list[QuarantinedRow] = field(default_factory=list)
    rows_unchanged: int = 0
    seconds: float = 0.0
    _characters: int = 0

    @property
    def note(self) -> str | None:
        """What was found out about the file, for its record."""
        return "; ".join(self.notes) or None

    def add(self, chunk: EncodedChunk) -> None:
        """Count a chunk, and keep the first of its quarantined rows."""
        self.tally.add(chunk.tally)
        for row in chunk.quarantine:
            if (
                len(self.first_quarantined) == REFUSED_ROWS_KEPT
                or self._characters > _REFUSED_CHARACTERS_KEPT
            ):
                return
            self.first_quarantined.append(row)
            self._characters += len(row.raw_text)

    def result(
        self,
        request: LandingRequest,
        file: DeliveredFile,
        batch_id: int | None,
        status: Status,
        message: str | None,
    ) -> BatchResult:
        """The outcome as the caller of landing sees it."""
        tally = self.tally
        is_in = status in ("landed", "checked")
        return BatchResult(
            batch_id=batch_id,
            file_name=file.name,
            source=request.source,
            status=status,
            message=message,
            rows_read=tally.rows_read,
            rows_accepted=tally.rows_accepted if is_in else 0,
            rows_quarantined=tally.rows_quarantined,
            rows_unchanged=self.rows_unchanged if is_in else 0,
            reasons=dict(tally.reasons.most_common()),
            quarantine_samples=tuple(
                RowProblem(row.row_number, row.reasons) for row in self.first_quarantined[:SAMPLES_KEPT]
            ),
            first_sale_date=tally.first_sale_date if is_in else None,
            last_sale_date=tally.last_sale_date if is_in else None,
            seconds=self.seconds,
        )


def read_and_check(
    delivered: DeliveredFile,
    request: LandingRequest,
    batch_id: int,
    store: Callable[[EncodedChunk], None],
    progress: Callable[[Progress], None],
    block_bytes: int = BLOCK_BYTES,
    headers_before: Headers | None = None,
) -> FileOutcome:
    """Read a file, check every row, and hand each chunk to ``store`` while the next one is read.

    A file that cannot be read as order lines is an outcome with a ``refusal``. ``headers_before`` are those
    of the source's last landed file, when they are known.

    Raises:
        LandingError: it cannot be opened, or is not the file (any more) that was delivered; or a row
            was lost between reading and checking.
    """
    started = time.monotonic()
    outcome = FileOutcome()
    path = delivered.path
    found = delivered.identity
    try:
        believed = request.totals or read_side_file(path)
        sums = Found()
        _require_our_currency(request)
        dates = date_format_of(path, request.settings)
        settings = _read_by(request.settings, dates)
        with open_order_lines(path, settings, block_bytes) as file:
            _require_tax(file.columns, settings)
            drift = drift_note(file.columns, headers_before, settings)
            outcome.notes = [*_notes(file, dates), *([drift] if drift else [])]
            outcome.headers = file.columns.named
            checker = checker_of(file.columns, settings, request.reporting)

            def checked() -> Iterator[tuple[EncodedChunk, int]]:
                for chunk in file.chunks():
                    result = checker.check(chunk)
                    if believed and settings.feed == ORDER_LINES:
                        sums.add(result.table(ORDER_LINES))
                    yield encode(result, batch_id), file.bytes_read

            with closing(prefetched(checked(), _CHUNKS_AHEAD)) as chunks:
                for chunk, bytes_read in chunks:
                    store(chunk)
                    outcome.add(chunk)
                    seconds = time.monotonic() - started
                    progress(_progress(delivered.name, outcome.tally, bytes_read, file.bytes_total, seconds))
            found = file.identity
        outcome.refusal = outcome.tally.refusal(request.settings.quarantine_limit)
        if believed and not outcome.refusal:
            outcome.refusal = mismatch(believed, sums, outcome.tally.rows_read)
    except FileRefused as error:
        outcome.refusal = str(error)
    outcome.seconds = time.monotonic() - started
    # The file that was read, and the one that now has its name (which the inbox would move away).
    if {found, _identity(path)} != {delivered.identity}:
        raise LandingError(
            f"{delivered.name}: the file changed while it was read; load it again once it is complete"
        )
    outcome.tally.require_balance(delivered.name)
    return outcome


def _require_our_currency(request: LandingRequest) -> None:
    said, ours = request.settings.currency, request.reporting.currency
    if said not in (None, ours):
        raise FileRefused(
            f"source {request.source!r} is in {said} (as sources.toml says), and the warehouse counts in "
            f"{ours}: amounts of different currencies cannot be added up"
        )


def _require_tax(columns: ColumnMap, settings: SourceSettings) -> None:
    is_asked = settings.feed == ORDER_LINES and settings.prices_include_tax
    if is_asked and not (columns.states("tax") or columns.states("tax_rate")):
        raise FileRefused(
            "sources.toml says prices_include_tax, and nothing says how much: the file needs a column of "
            'tax or tax_rate, or sources.toml a constant, as in constants.tax_rate = "19%"'
        )


def with_date_format(path: Path, settings: SourceSettings) -> SourceSettings:
    """The settings with the date format that the file has, when they name none.

    Raises:
        FileRefused: it cannot be told, or the file cannot be read.
    """
    return _read_by(settings, date_format_of(path, settings))


def date_format_of(path: Path, settings: SourceSettings) -> FoundFormat | None:
    """How a file's dates are written, by every row of it; None when the settings say it.

    Raises:
        LandingError: it cannot be opened.
        AmbiguousDates: several formats fit, and read some dates differently.
        FileRefused: it cannot be read as order lines, or no format fits.
    """
    date = FEEDS[settings.feed].date
    if settings.date_format is not None or date is None or date in settings.constants:
        return None
    with open_order_lines(path, settings, _DATES_BLOCK_BYTES) as file:
        if date not in file.columns.positions:
            return None
        position = str(file.columns.positions[date])
        return find_format(chunk.text[position].str.strip_chars() for chunk in file.chunks())


def _read_by(settings: SourceSettings, dates: FoundFormat | None) -> SourceSettings:
    if dates is None or dates.format == ISO:
        return settings
    return settings.model_copy(update={"date_format": dates.format})


def _notes(file: OrderLines, dates: FoundFormat | None) -> list[str]:
    """What was found out about how the file is written, and not said."""
    notes = []
    if file.encoding is not None and file.encoding.is_guessed:
        notes.append(f"read as {file.encoding.name}, which is what its letters look like")
    if dates is not None and dates.format != ISO:
        notes.append(dates.note)
    return notes


def _progress(file_name: str, tally: Tally, bytes_read: int, bytes_total: int, seconds: float) -> Progress:
    return Progress(
        file_name=file_name,
        rows_read=tally.rows_read,
        rows_accepted=tally.rows_accepted,
        rows_quarantined=tally.rows_quarantined,
        bytes_read=bytes_read,
        bytes_total=bytes_total,
        seconds=seconds,
    )


def _identity(path: Path) -> FileIdentity:
    try:
        return identity_of(path.stat())
    except OSError as error:
        raise LandingError(f"{path}: cannot be read ({error.strerror})") from error
