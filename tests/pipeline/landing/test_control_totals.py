"""What a sender believes of a file, against what is in it."""

from pathlib import Path

import pytest

from pipeline.landing import check
from pipeline.landing.control_totals import control_totals
from pipeline.landing.inbox import InboxFile, move_loaded, settled_files
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, one, request_of
from tests.pipeline.landing.files import SAMPLE, csv_file

TRUE = """
rows = 6
gross = 4966.96
net = "4712.5675"

[months."2023-12"]
rows = 1
net = 324

[months."2024-03"]
gross = 180.000
"""


def beside(folder: Path, totals: str) -> Path:
    """The six lines, and control totals beside them."""
    path = folder / "sales.csv"
    path.write_bytes(SAMPLE.read_bytes())
    (folder / "sales.csv.totals.toml").write_text(totals, encoding="utf-8")
    return path


def test_a_file_that_holds_what_is_believed_lands(warehouse: Warehouse, tmp_path: Path) -> None:
    result = one(warehouse, beside(tmp_path, TRUE))
    assert (result.status, result.rows_accepted) == ("landed", 6)


def test_a_file_that_holds_anything_else_is_refused_and_both_sides_are_shown(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    wrong = TRUE.replace("rows = 6", "rows = 7").replace("4712.5675", "4712.56").replace("180.000", "180.001")
    result = one(warehouse, beside(tmp_path, wrong + '[months."2024-12"]\nrows = 3\n'))
    assert result.status == "refused"
    assert result.message == (
        "its control totals say otherwise: in all, rows: 7 expected, 6 found; "
        "in all, net: 4,712.56 expected, 4,712.5675 found; 2024-03, gross: 180.001 expected, 180.00 found; "
        "2024-12, rows: 3 expected, 0 found. Nothing of it was loaded"
    )
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]


def test_options_go_before_the_file_beside(warehouse: Warehouse, tmp_path: Path) -> None:
    path = beside(tmp_path, "rows = 1")
    assert one(warehouse, path, totals=control_totals(6, "4966.96", "4712.5675")).status == "landed"
    assert one(warehouse, path, source="b", totals=control_totals(None, None, "0")).status == "refused"
    assert control_totals(None, None, None) is None
    assert control_totals(0, None, None) is not None


def test_returns_and_quarantined_rows_are_counted_as_the_numbers_have_them(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = csv_file(tmp_path, "1,P,2024-01-01,3,0.1", "1,P,2024-01-02,-1,0.1", "2,P,2024-01-01,none,5")
    assert one(warehouse, path, totals=control_totals(3, "0.3", "0.2")).status == "landed"


def test_a_dry_run_checks_them_too(tmp_path: Path) -> None:
    [result] = check(request_of((beside(tmp_path, "rows = 5"),)), lambda _: None)
    assert result.status == "refused"
    assert result.message is not None
    assert result.message.startswith("its control totals say otherwise: in all, rows: 5 expected, 6 found")


@pytest.mark.parametrize(
    ("totals", "problem"),
    [
        ("rows = ", "Invalid value"),
        ("lines = 6", "lines: Extra inputs are not permitted"),
        ("net = nan", "net: Input should be a finite number"),
        ("rows = 6.5", "rows: Input should be a valid integer"),
        ('[months."2024-3"]\nrows = 1', "String should match pattern"),
    ],
)
def test_totals_that_cannot_be_read_refuse_the_file(
    warehouse: Warehouse, tmp_path: Path, totals: str, problem: str
) -> None:
    result = one(warehouse, beside(tmp_path, totals))
    assert result.status == "refused"
    assert result.message is not None
    assert result.message.startswith("its control totals in sales.csv.totals.toml cannot be read: ")
    assert problem in result.message


def test_amounts_beyond_a_floats_digits_are_compared_exactly(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, *[f"{n},P,2024-01-01,2147483647,999999999999.123456" for n in range(3)])
    exact = "6442450940994352908282.372096"
    assert one(warehouse, path, totals=control_totals(None, exact, exact)).status == "landed"
    off = exact[:-1] + "7"
    assert one(warehouse, path, source="b", totals=control_totals(None, off, None)).status == "refused"


def test_in_the_inbox_they_are_no_sales_and_go_with_their_file(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    path = beside(tmp_path / "inbox", TRUE)
    assert [file.path.name for file in settled_files(tmp_path / "inbox", 0)] == ["sales.csv"]
    moved = move_loaded(tmp_path, InboxFile(path, "default"), one(warehouse, path))
    assert sorted(file.name for file in moved.parent.iterdir()) == ["sales.csv", "sales.csv.totals.toml"]
    assert list((tmp_path / "inbox").iterdir()) == []
