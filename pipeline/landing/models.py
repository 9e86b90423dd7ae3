"""The values that pass between landing and its callers."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from pipeline.landing.control_totals import ControlTotals
from pipeline.sources import SourceSettings

Mode = Literal["append", "overwrite"]
Status = Literal["landed", "skipped", "refused", "failed", "checked", "voided"]

DEFAULT_SOURCE = "default"
SAMPLES_KEPT = 20
SOURCE_CHARACTERS = 63


def is_source_name(name: str) -> bool:
    """Whether a source may be called so: short, printable, no slashes, no blanks at its ends, not hidden.

    It names a folder of the inbox, and of the loaded and refused files.
    """
    is_plain = name.isprintable() and name == name.strip() and not set(name) & set("/\\")
    is_plain = is_plain and not name.startswith(".")
    return is_plain and 0 < len(name) <= SOURCE_CHARACTERS


@dataclass(frozen=True)
class Reporting:
    """What the warehouse counts in: its one currency, and the time zone in which a day begins."""

    currency: str = "USD"
    time_zone: str = "UTC"


@dataclass(frozen=True)
class LandingRequest:
    """The files of one call, and how they are to be read.

    In the mode ``overwrite`` the files together are the whole truth for their source. ``names``, when
    given, are what the files are called where their paths say nothing, as those of uploads.
    ``force`` lets an overwrite delete more than a fifth of the source's lines. ``reopen`` lets the call
    change closed months, which are open from then on. ``totals`` are what the sender believes of each
    file, in place of those beside it. ``originals`` is the folder where landed files are kept.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...] = ()
    source: str = DEFAULT_SOURCE
    settings: SourceSettings = field(default_factory=SourceSettings)
    reporting: Reporting = field(default_factory=Reporting)
    force: bool = False
    reopen: bool = False
    totals: ControlTotals | None = None
    originals: Path | None = None
    requested_by: str = "cli"
    dagster_run_id: str | None = None

    @property
    def feed(self) -> str:
        """What kind of record the files have."""
        return self.settings.feed

    @property
    def mode(self) -> Mode:
        """Whether the files add to what is known of their source, or replace it."""
        return self.settings.mode

    @property
    def is_compared(self) -> bool:
        """Whether the files are compared with what is known, and land as what they change."""
        return self.settings.mode == "overwrite" and self.settings.delivery == "full"


@dataclass(frozen=True)
class Progress:
    """How far one file is: rows and bytes so far, bytes as they lie on disk."""

    file_name: str
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    bytes_read: int
    bytes_total: int
    seconds: float


@dataclass(frozen=True)
class RowProblem:
    """One quarantined row, without its text: the line it starts on and what it breaks."""

    row_number: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BatchResult:
    """What became of one file.

    ``rows_read = rows_accepted + rows_quarantined`` for a landed (or checked) file.
    ``rows_unchanged``: how many of the accepted ones are known as they are, and were not stored again.
    ``reasons`` counts each quarantined row once, under its first reason. A dry run has no
    ``batch_id`` and the status ``checked`` or ``refused``.
    """

    batch_id: int | None
    file_name: str
    source: str
    status: Status
    message: str | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_unchanged: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    quarantine_samples: tuple[RowProblem, ...] = ()
    first_sale_date: date | None = None
    last_sale_date: date | None = None
    seconds: float = 0.0
