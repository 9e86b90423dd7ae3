"""Paths and patterns name files on this machine."""

from pathlib import Path

import pytest

from pipeline.fetching import fetched
from pipeline.settings import Settings
from tests.pipeline.fetching.fetched_files import contents, refusal


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    (folder / "older").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "c.txt", "[odd].csv", "older/d.csv"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_pattern_names_its_files_in_their_order(exports: Path) -> None:
    found = contents(exports, f"{exports}/*.csv")
    assert list(found.items()) == [("[odd].csv", b"[odd].csv"), ("a.csv", b"a.csv"), ("b.csv", b"b.csv")]
    assert list(contents(exports, f"{exports}/**/*.csv")) == ["[odd].csv", "a.csv", "b.csv", "d.csv"]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(exports: Path) -> None:
    assert contents(exports, f"{exports}/[odd].csv") == {"[odd].csv": b"[odd].csv"}


def test_a_pattern_may_be_relative(exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(exports)
    assert list(contents(exports, "?.csv", "c.txt")) == ["a.csv", "b.csv", "c.txt"]


def test_files_of_this_machine_are_read_where_they_are(exports: Path) -> None:
    with fetched([f"{exports}/a.csv"], Settings(home=exports), lambda _: None) as files:
        assert [file.path for file in files] == [exports / "a.csv"]
    assert (exports / "a.csv").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no*.csv", "no*.csv: no file fits"),
        ("older*", "older*: no file fits"),
        ("none.csv", "none.csv: there is no such file"),
        ("older", "older: is a folder; name the files in it, as in 'older/*.csv'"),
    ],
)
def test_what_names_no_file_is_told(
    exports: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(exports)
    assert refusal(exports, text) == message
