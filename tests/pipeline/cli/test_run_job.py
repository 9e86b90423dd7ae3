"""What a run's outcome means to the one who waits for it."""

from typing import Any

import pytest

from pipeline.cli.run_job import Outcome


def outcome(status: str, message: str = "", batches: list[dict[str, Any]] | None = None) -> Outcome:
    return Outcome("run", status, message, batches or [], [], None)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (outcome("succeeded"), 0),
        (outcome("succeeded", batches=[{"status": "landed"}, {"status": "skipped"}]), 0),
        (outcome("succeeded", batches=[{"status": "landed"}, {"status": "refused"}]), 1),
        (outcome("failed", "Build 3 was not published"), 1),
        (outcome("canceled", "Canceled; nothing that readers see was changed."), 130),
        (outcome("failed", "Interrupted; nothing that readers see was changed."), 130),
    ],
)
def test_the_exit_code_says_whether_the_numbers_were_published(found: Outcome, code: int) -> None:
    assert found.exit_code == code
