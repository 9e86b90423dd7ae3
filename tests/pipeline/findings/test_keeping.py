"""The reports that are kept of builds."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.findings import keeping
from pipeline.findings.keeping import keep_report, kept_reports, outdated_reports, report_path


def test_a_report_is_kept_under_its_build_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "findings"
    path = keep_report(folder, 7, "<p>é</p>")
    assert path == report_path(folder, 7) == folder / "build-7.html"
    assert path.read_text(encoding="utf-8") == "<p>é</p>"
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_reports_are_listed_by_build_and_nothing_else_is(tmp_path: Path) -> None:
    for build_id in (9, 10, 2):
        keep_report(tmp_path, build_id, "x" * build_id)
    for name in ("build-x.html", "build-03.html", ".build-1.part", "notes.html"):
        (tmp_path / name).write_text("x")
    assert [(report.build_id, report.size_bytes) for report in kept_reports(tmp_path)] == [
        (10, 10), (9, 9), (2, 2)
    ]  # fmt: skip
    assert kept_reports(tmp_path / "absent") == []


def test_those_of_the_newest_builds_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEPT", 2)
    for build_id in (3, 20, 100, 4):
        keep_report(tmp_path, build_id, "x")
    assert [path.name for path in outdated_reports(tmp_path)] == ["build-4.html", "build-3.html"]


def test_writers_at_the_same_time_leave_one_whole_report(tmp_path: Path) -> None:
    pages = [letter * 200_000 for letter in "abcdefgh"]

    def write_and_read(page: str) -> str:
        keep_report(tmp_path, 1, page)
        return report_path(tmp_path, 1).read_text()

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(write_and_read, pages * 5))
    assert set(read) <= set(pages)
    assert [path.name for path in tmp_path.iterdir()] == ["build-1.html"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    keep_report(tmp_path, 1, "old")
    with pytest.raises(UnicodeEncodeError):
        keep_report(tmp_path, 1, "new \ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("build-1.html", "old")]
