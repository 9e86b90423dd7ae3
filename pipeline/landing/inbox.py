"""The watched folder: which files are ready, and where they go afterwards."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.landing.control_totals import side_file_of
from pipeline.landing.models import DEFAULT_SOURCE, BatchResult, is_source_name
from pipeline.warehouse.place import private_folder

# A file is read as what its bytes are; the ending only says that it is meant for us.
_TEXTS = (".csv", ".json", ".jsonl", ".ndjson")
_ENDINGS = (
    *(text + packing for text in _TEXTS for packing in ("", ".gz", ".zst")),
    ".zip",
    ".xlsx",
    ".parquet",
)


@dataclass(frozen=True)
class InboxFile:
    """A file that waits in the inbox, and the source that its folder stands for."""

    path: Path
    source: str


def settled_files(inbox: Path, settle_seconds: float) -> list[InboxFile]:
    """The files of order lines that nobody has written to for ``settle_seconds``, oldest first.

    Each subfolder of the inbox is a source; files at the top belong to the source ``default``.
    Hidden files, unfinished ones (``.part``, ``.tmp``) and folders whose name cannot be a source
    are left alone, and so are subfolders that cannot be read. Waits for ``settle_seconds`` only
    if a file was written to since.
    """
    first = {file: _look(file.path) for file in _candidates(inbox)}
    now = time.time()
    if any(look is not None and now - look[1] / 1e9 < settle_seconds for look in first.values()):
        time.sleep(settle_seconds)
    settled = [(look, file) for file, look in first.items() if look is not None and _look(file.path) == look]
    return [file for look, file in sorted(settled, key=lambda item: (item[0][1], str(item[1].path)))]


def move_loaded(home: Path, file: InboxFile, result: BatchResult) -> Path:
    """Move a file that is on record into ``home/loaded/<source>/``; returns where it is now."""
    return _move(file.path, home / "loaded" / file.source, result.batch_id)


def move_refused(home: Path, file: InboxFile, result: BatchResult) -> Path:
    """Move a refused file into ``home/refused/<source>/``, with a note beside it that says why."""
    target = _move(file.path, home / "refused" / file.source, result.batch_id)
    target.with_name(f"{target.name}.txt").write_text(_note(file, result), encoding="utf-8")
    return target


def _candidates(inbox: Path) -> Iterator[InboxFile]:
    if not inbox.is_dir():
        return
    for entry in inbox.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if is_source_name(entry.name):
                # It may be another user's, or have gone: no reason to leave the other sources waiting.
                with contextlib.suppress(OSError):
                    yield from [InboxFile(path, entry.name) for path in entry.iterdir() if _is_ours(path)]
        elif _is_ours(entry):
            yield InboxFile(entry, DEFAULT_SOURCE)


def _is_ours(path: Path) -> bool:
    return not path.name.startswith(".") and path.name.lower().endswith(_ENDINGS) and path.is_file()


def _look(path: Path) -> tuple[int, int] | None:
    """A file's size and the time of its last change in nanoseconds; None when it cannot be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _move(path: Path, folder: Path, batch_id: int | None) -> Path:
    """Move a file, and the control totals that came with it."""
    private_folder(folder)
    target = folder / path.name
    prefix = "" if batch_id is None else f"{batch_id}-"
    number = 1
    while target.exists():
        target = folder / f"{prefix}{'' if number == 1 else f'{number}-'}{path.name}"
        number += 1
    shutil.move(path, target)
    with contextlib.suppress(FileNotFoundError):
        shutil.move(side_file_of(path), side_file_of(target))
    return target


def _note(file: InboxFile, result: BatchResult) -> str:
    lines = [
        f"{file.path.name} was refused; nothing of it was loaded.",
        f"Why: {result.message}",
        f"Batch: {result.batch_id}, source {result.source}",
        f"Rows read: {result.rows_read}, of which {result.rows_quarantined} were put aside",
    ]
    if result.reasons:
        lines += ["", "Rows by first reason:"]
        lines += [f"  {reason}: {count}" for reason, count in result.reasons.items()]
    if result.quarantine_samples:
        lines += ["", "The first of them (line, row or object of the file: what is wrong):"]
        lines += [f"  {row.row_number}: {', '.join(row.reasons)}" for row in result.quarantine_samples]
        lines += ["", f"To see the rows: tillhouse rejects {result.batch_id}"]
    return "\n".join(lines) + "\n"
