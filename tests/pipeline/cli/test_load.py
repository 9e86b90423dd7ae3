"""`tillhouse load --dry-run`: what it says, without a warehouse."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from tests.pipeline.landing.files import csv_file


@pytest.mark.parametrize(
    ("mode", "unchecked"),
    [
        ("append", "whether a file is loaded already and would be skipped."),
        (
            "overwrite",
            "whether a file is loaded already and would be skipped, and whether the overwrite would delete "
            "too many of the source's lines.",
        ),
    ],
)
def test_a_dry_run_says_what_it_does_not_check(tmp_path: Path, mode: str, unchecked: str) -> None:
    path = csv_file(tmp_path, "1,P,2024-01-01,1,1")
    result = CliRunner().invoke(main, ["load", "--dry-run", "--json", "--mode", mode, str(path)])
    report = json.loads(result.stdout)
    assert (result.exit_code, report["status"], report["rows_accepted"]) == (0, "checked", 1)
    assert report["message"] == (
        f"Nothing was written. Not checked, because it takes the warehouse: {unchecked}"
    )


def test_a_dry_run_of_an_overwrite_with_a_refused_file_ends_with_1(tmp_path: Path) -> None:
    good = csv_file(tmp_path, "1,P,2024-01-01,1,1", name="good.csv")
    bad = csv_file(tmp_path, "1,P,soon,1,1", name="bad.csv")
    result = CliRunner().invoke(
        main, ["load", "--dry-run", "--json", "--mode", "overwrite", str(good), str(bad)]
    )
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [batch["status"] for batch in report["batches"]] == ["refused", "refused"]
    assert report["rows_accepted"] == 0
