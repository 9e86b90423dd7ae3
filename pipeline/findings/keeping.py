"""The reports that are kept: one of each build, with the figures as they were then."""

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.warehouse.place import private_folder

# With a build a day, those of a quarter of a year; some 100 kB each.
KEPT = 100
_NAME = re.compile(r"build-([1-9][0-9]*)\.html")


@dataclass(frozen=True)
class KeptReport:
    """The report of one build, as a file."""

    build_id: int
    path: Path
    made_at: datetime
    size_bytes: int


def report_path(folder: Path, build_id: int) -> Path:
    """Where the report of a build is kept, if it is."""
    return folder / f"build-{build_id}.html"


def keep_report(folder: Path, build_id: int, html: str) -> Path:
    """Keep the report of a build; readers see all of it or the one before.

    Raises:
        OSError: it cannot be written.
    """
    private_folder(folder)
    draft = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=folder, prefix=".build-", suffix=".part", delete=False
        ) as file:
            draft = Path(file.name)
            file.write(html)
        return draft.replace(report_path(folder, build_id))
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def kept_reports(folder: Path) -> list[KeptReport]:
    """The reports that are kept, that of the newest build first."""
    found = []
    for path in folder.glob("build-*.html"):
        name = _NAME.fullmatch(path.name)
        try:
            stat = path.stat()
        except FileNotFoundError:
            # The daily cleanup was here first.
            continue
        if name is not None:
            made_at = datetime.fromtimestamp(stat.st_mtime, UTC)
            found.append(KeptReport(int(name[1]), path, made_at, stat.st_size))
    return sorted(found, key=lambda report: -report.build_id)


def outdated_reports(folder: Path) -> list[Path]:
    """The files of all but the newest ``KEPT`` builds."""
    return [report.path for report in kept_reports(folder)[KEPT:]]
