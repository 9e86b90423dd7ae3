"""What a job's row says of the files that are being read, and of those that were."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import Connection

from pipeline.jobs.running import set_progress
from pipeline.landing import BatchResult, Progress

COUNTED = ("rows_read", "rows_accepted", "rows_quarantined")
_EVERY_SECONDS = 1.0


class ProgressReport:
    """Writes the progress of landing into a job's row, at most once a second."""

    def __init__(
        self,
        connection: Connection,
        job_id: str,
        listener: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """``connection`` commits by itself; ``listener`` is told as well, every time."""
        self._connection = connection
        self._job_id = job_id
        self._listener = listener
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """Report how far a file is."""
        self._listener(progress)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_SECONDS
        said = {name: getattr(progress, name) for name in (*COUNTED, "bytes_read", "bytes_total")}
        set_progress(self._connection, self._job_id, {"file_name": progress.file_name, **said})


def totals(results: Sequence[BatchResult]) -> dict[str, int]:
    """The counts of a call's files."""
    return {name: sum(getattr(result, name) for result in results) for name in COUNTED} | {
        "files": len(results),
        "files_refused": sum(result.status in ("refused", "failed") for result in results),
    }


def outcomes(results: Sequence[BatchResult]) -> list[dict[str, Any]]:
    """What became of each file of a call, in the order given."""
    return [
        {
            "name": result.file_name,
            "status": result.status,
            "batch_id": result.batch_id,
            **{name: getattr(result, name) for name in COUNTED},
            "reasons": result.reasons,
            "message": result.message,
        }
        for result in results
    ]
