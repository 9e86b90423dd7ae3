"""`tillhouse inspect`: what it shows, without a warehouse."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.settings import get_settings
from tests.pipeline.landing.files import csv_file

HEADER = "Bestellnummer;Artikel;Datum;Menge;Preis"


def test_it_shows_the_file_and_the_entry(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1;P;31.01.2024;2;1,50", "2;P;31.01.2024;x;1,50", header=HEADER)
    result = CliRunner().invoke(main, ["inspect", "--source", "till", str(path)])
    assert result.exit_code == 0, result.output
    for line in (
        "sales.csv: CSV, utf-8, fields separated by semicolons, column names on line 1.",
        "Numbers: ',' before decimals, nothing between thousands (by the first 2 rows)",
        "Dates: %d.%m.%Y (by every row)",
        "2 rows read, 1 accepted, 1 quarantined",
        'decimal_mark = ","',
        'columns.order_id = "Bestellnummer"',
    ):
        assert line in result.stdout.splitlines()
    assert "[till]" in result.stdout


def test_json_is_one_object_with_everything_that_was_found(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1;P;31.01.2024;2;1,50", header=HEADER)
    result = CliRunner().invoke(main, ["inspect", "--json", str(path)])
    found = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert found["headers"][0] == {
        "header": "Bestellnummer",
        "column": "order_id",
        "found_by": "alias",
        "remark": None,
        "examples": ["1"],
        "confidence": "likely",
    }
    assert (found["date_format"], found["settings"]["decimal_mark"]) == ("%d.%m.%Y", ",")
    assert found["first_rows"][0]["sale_date"] == "2024-01-31"
    assert (found["rows_read"], found["rows_accepted"], found["rows_quarantined"]) == (1, 1, 0)


def test_a_file_that_would_be_refused_ends_with_1_and_says_why(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1,P,03/04/2024,1,1")
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert result.exit_code == 1
    assert "It would be refused: the dates can be read in several ways" in result.stdout
    assert "# date_format = \"%m/%d/%Y\"  # %m/%d/%Y reads '03/04/2024' as 2024-03-04" in result.stdout


@pytest.mark.parametrize("data", ["", "\x00\x00\x00\x00"])
def test_what_is_no_table_is_one_message(tmp_path: Path, data: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(data)
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: sales.csv: the file is ")


def test_what_sources_toml_says_is_where_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "sources.toml"
    sources.write_text('[till]\nmode = "overwrite"\ncolumns.order_id = "Nummer"\n')
    monkeypatch.setenv("TILLHOUSE_SOURCES", str(sources))
    get_settings.cache_clear()
    path = csv_file(tmp_path, "1;P;31.01.2024;2;1,50", header=HEADER.replace("Bestellnummer", "Nummer"))
    result = CliRunner().invoke(main, ["inspect", "--json", "--source", "till", str(path)])
    found = json.loads(result.stdout)
    assert found["headers"][0]["confidence"] == "certain"
    assert found["sources_toml"].startswith('[till]\nmode = "overwrite"\n')


def test_a_file_of_another_feed_is_shown_as_one(tmp_path: Path) -> None:
    header = "Refund ID;Bestellnummer;Amount;Refund Date;Kanal"
    path = csv_file(tmp_path, "R1;1;1,50;31.01.2024;Post", "R2;2;-1;31.01.2024;", header=header)
    result = CliRunner().invoke(main, ["inspect", "--feed", "refunds", "--source", "returns", str(path)])
    assert result.exit_code == 0, result.output
    for line in (
        "Numbers: ',' before decimals, nothing between thousands (by the first 2 rows)",
        "Dates: %d.%m.%Y (by every row)",
        "2 rows read, 1 accepted, 1 quarantined",
        "[returns]",
        'feed = "refunds"',
        'columns.order_id = "Bestellnummer"',
        "With it, every file of the source is one of refunds: give them a source of their own (--source).",
    ):
        assert line in result.stdout.splitlines()
    assert "kept beside the record" in result.stdout


def test_a_file_of_stores_has_neither_numbers_nor_dates(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "S1,North", header="Store ID,Region")
    shown = CliRunner().invoke(main, ["inspect", str(path)])
    assert (shown.exit_code, "Numbers:" in shown.stdout, "Dates:" in shown.stdout) == (0, False, False)
    assert shown.stdout.splitlines()[1] == (
        "The column names are those of stores, and not of order lines, so it is looked at as stores (unless "
        "--feed says otherwise)."
    )
    assert shown.stdout.splitlines()[-1] == (
        "With it, every file of the source is one of stores: give them a source of their own (--source), or "
        "load them with --feed stores and no entry."
    )
    found = json.loads(CliRunner().invoke(main, ["inspect", "--json", str(path)]).stdout)
    assert (found["feed"], found["date_format"]) == ("stores", None)
    assert found["settings"] == {"feed": "stores"}
    assert found["feed_note"] == shown.stdout.splitlines()[1]
