"""The watched folder: what is taken, what is left alone, where files go."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.landing import BatchResult, RowProblem
from pipeline.landing.inbox import InboxFile, move_loaded, move_refused, settled_files


def old_file(path: Path, *, seconds: int = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    return path


def test_csv_files_are_taken_oldest_first_and_a_subfolder_is_a_source(tmp_path: Path) -> None:
    newer = old_file(tmp_path / "b.csv", seconds=60)
    older = old_file(tmp_path / "shop 2" / "a.CSV.GZ", seconds=90)
    for name in (".hidden.csv", "c.csv.part", "d.tmp", "notes.txt", "shop 2/deeper/e.csv", ".git/f.csv"):
        old_file(tmp_path / name)
    assert settled_files(tmp_path, 2.0) == [InboxFile(older, "shop 2"), InboxFile(newer, "default")]


def test_the_endings_of_every_format_are_taken(tmp_path: Path) -> None:
    names = ["a.csv.zst", "b.json", "c.ndjson.gz", "d.jsonl", "e.parquet", "f.xlsx", "g.zip"]
    for name in (*names, "h.xls", "i.parquet.gz", "j.gz"):
        old_file(tmp_path / name)
    assert sorted(file.path.name for file in settled_files(tmp_path, 2.0)) == names


def test_an_inbox_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert settled_files(tmp_path / "none", 2.0) == []


def test_a_subfolder_that_cannot_be_read_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_file(tmp_path / "closed" / "a.csv")
    seen = old_file(tmp_path / "open" / "b.csv")
    old_file(tmp_path / ".hidden" / "c.csv")
    listing = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "closed":  # Root may read every folder: permissions cannot make the case.
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert settled_files(tmp_path, 2.0) == [InboxFile(seen, "open")]


def test_a_file_that_still_grows_is_left_for_later(tmp_path: Path) -> None:
    growing, done, gone = (tmp_path / name for name in ("growing.csv", "done.csv", "gone.csv"))
    for path in (growing, done, gone):
        path.write_text("x")

    def change() -> None:
        time.sleep(0.2)
        growing.write_text("xy")
        gone.unlink()

    writer = threading.Thread(target=change)
    writer.start()
    assert settled_files(tmp_path, 0.5) == [InboxFile(done, "default")]
    writer.join()


def test_a_settled_inbox_is_not_waited_for(tmp_path: Path) -> None:
    old_file(tmp_path / "a.csv")
    started = time.monotonic()
    assert len(settled_files(tmp_path, 30.0)) == 1
    assert time.monotonic() - started < 5


def test_loaded_files_move_away_and_never_over_another(tmp_path: Path) -> None:
    folder = tmp_path / "loaded" / "shop"
    for number, expected in ((7, "a.csv"), (8, "8-a.csv"), (8, "8-2-a.csv")):
        path = old_file(tmp_path / "inbox" / "shop" / "a.csv")
        result = BatchResult(number, "a.csv", "shop", "landed")
        assert move_loaded(tmp_path, InboxFile(path, "shop"), result) == folder / expected
        assert not path.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["8-2-a.csv", "8-a.csv", "a.csv"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder)] == [0o700, 0o700]


def test_a_refused_file_gets_a_note_that_says_why(tmp_path: Path) -> None:
    path = old_file(tmp_path / "inbox" / "a.csv")
    result = BatchResult(
        batch_id=9,
        file_name="a.csv",
        source="default",
        status="refused",
        message="none of the 2 rows meets the contract",
        rows_read=2,
        rows_quarantined=2,
        reasons={"quantity_zero": 2},
        quarantine_samples=(
            RowProblem(2, ("quantity_zero", "unit_price_negative")),
            RowProblem(3, ("quantity_zero",)),
        ),
    )
    target = move_refused(tmp_path, InboxFile(path, "default"), result)
    assert target == tmp_path / "refused" / "default" / "a.csv"
    assert (target.parent / "a.csv.txt").read_text() == (
        "a.csv was refused; nothing of it was loaded.\n"
        "Why: none of the 2 rows meets the contract\n"
        "Batch: 9, source default\n"
        "Rows read: 2, of which 2 were put aside\n"
        "\n"
        "Rows by first reason:\n"
        "  quantity_zero: 2\n"
        "\n"
        "The first of them (line, row or object of the file: what is wrong):\n"
        "  2: quantity_zero, unit_price_negative\n"
        "  3: quantity_zero\n"
        "\n"
        "To see the rows: tillhouse rejects 9\n"
    )
