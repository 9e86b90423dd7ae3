"""``sources.toml``: what may be said, and what is told of a file that says something else."""

from pathlib import Path

import pytest

from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.sources import SourcesError, SourceSettings, read_sources, source_settings


def file(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_source_is_read_with_everything_that_can_be_said(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        """
        [till]
        feed = "order_lines"
        mode = "overwrite"
        duplicate_rows = "keep"
        quarantine_limit = 0.5
        encoding = "latin-1"
        delimiter = "semicolon"
        escape = '\\'
        decimal_mark = ","
        thousands_mark = "."
        date_format = "%d.%m.%Y"
        discount = "percent"
        columns.order_id = "Bon"
        constants.region = "Online"
        """,
    )
    till = read_sources(path)["till"]
    assert till == SourceSettings(
        mode="overwrite",
        duplicate_rows="keep",
        quarantine_limit=0.5,
        columns={"order_id": "Bon"},
        constants={"region": "Online"},
        encoding="iso8859-1",
        delimiter=";",
        escape="\\",
        decimal_mark=",",
        thousands_mark=".",
        date_format="%d.%m.%Y",
        discount="percent",
    )
    assert till.options == {
        "duplicate_rows": "keep",
        "columns": {"order_id": "Bon"},
        "constants": {"region": "Online"},
        "encoding": "iso8859-1",
        "delimiter": ";",
        "escape": "\\",
        "decimal_mark": ",",
        "thousands_mark": ".",
        "date_format": "%d.%m.%Y",
        "discount": "percent",
    }


def test_a_source_that_is_not_mentioned_is_read_as_ever(tmp_path: Path) -> None:
    settings = Settings(sources=file(tmp_path, '[till]\nmode = "overwrite"\n'))
    assert source_settings(settings, "shop") == SourceSettings()
    assert source_settings(settings, "shop").options == {"duplicate_rows": "quarantine"}
    assert source_settings(Settings(sources=tmp_path / "none.toml"), "till") == SourceSettings()


def test_what_is_said_of_a_delivery_goes_before_what_is_said_of_its_source(tmp_path: Path) -> None:
    settings = Settings(sources=file(tmp_path, '[till]\nmode = "overwrite"\nduplicate_rows = "keep"\n'))
    assert source_settings(settings, "till").mode == "overwrite"
    said = source_settings(settings, "till", mode="append")
    assert (said.mode, said.duplicate_rows) == ("append", "keep")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[till", "is no TOML: Expected ']'"),
        ('mode = "append"', "mode: stands outside a source's table; begin one with a line such as [till]"),
        ("[till]\nmodus = 1", "source till, modus: there is no such field"),
        ('[till]\nmode = "replace"', "source till, mode: Input should be 'append' or 'overwrite'"),
        (
            '[till]\ncolumns.ordr = "Bon"',
            "source till, columns: there is no column 'ordr'; there are order_id,",
        ),
        (
            '[till]\nencoding = "klingon"',
            "source till, encoding: 'klingon' is none of the encodings that can be read",
        ),
        ('[till]\ndelimiter = "#"', "source till, delimiter: Input should be ',', ';', '\\t' or '|'"),
        (
            '[till]\ndate_format = "%d %H"',
            "source till, date_format: '%d %H' is no date format: it needs day, month",
        ),
        (
            '[till]\ndecimal_mark = ","\nthousands_mark = ","',
            "source till: decimal_mark and thousands_mark are the",
        ),
        (
            '[till]\ncolumns.region = "Land"\nconstants.region = "Online"',
            "source till: region has a header and a constant: say one of them",
        ),
        (
            '[till]\ncolumns.region = "Land"\ncolumns.category = "land "',
            "source till: two columns have the header 'land'",
        ),
        ('[till]\ntime_zone = "Berlin"', "source till, time_zone: 'Berlin' is no time zone; it is called"),
        (
            '[till]\nextra = ["a,b"]',
            "source till, extra, 0: 'a,b' cannot be asked for: no commas, and no blanks at its ends",
        ),
        ('[till]\ncurrency = "euro"', "source till, currency: String should match pattern"),
        (
            '[till]\nconstants.line_id = "1"',
            "source till: line_id tells the lines of an order apart: it cannot be a constant",
        ),
        (
            "[till]\nquarantine_limit = 10",
            "source till, quarantine_limit: Input should be less than or equal to 1",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(SourcesError) as caught:
        read_sources(path)
    assert str(caught.value).startswith(f"{path}: {told}")


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = file(tmp_path, "[a]\nx = 1\n[b]\ny = 2\n")
    with pytest.raises(SourcesError) as caught:
        read_sources(path)
    assert str(caught.value) == (
        f"{path}: source a, x: there is no such field; source b, y: there is no such field "
        "(docs/sources.example.toml shows what can be said)"
    )


def test_the_example_can_be_used() -> None:
    sources = read_sources(PROJECT_ROOT / "docs" / "sources.example.toml")
    assert sources["webshop"].columns["order_id"] == "Bestellnummer"
    said = {name for settings in sources.values() for name in settings.model_fields_set}
    assert said == set(SourceSettings.model_fields)


def test_a_delivery_of_another_feed_has_the_usual_columns(tmp_path: Path) -> None:
    settings = Settings(
        sources=file(tmp_path, '[till]\nmode = "overwrite"\ndecimal_mark = ","\ncolumns.region = "Land"\n')
    )
    assert source_settings(settings, "till", feed="refunds") == SourceSettings(
        feed="refunds", decimal_mark=","
    )
    assert source_settings(settings, "till", feed="order_lines") == source_settings(settings, "till")


def test_only_order_lines_can_be_overwritten(tmp_path: Path) -> None:
    with pytest.raises(
        SourcesError, match=r"^refunds are only added and corrected: load them with mode append"
    ):
        source_settings(Settings(sources=tmp_path / "none"), "till", feed="refunds", mode="overwrite")
    path = file(tmp_path, '[costs]\nfeed = "unit_costs"\nmode = "overwrite"\n')
    with pytest.raises(
        SourcesError, match="source costs: unit_costs are only added and corrected: mode must be"
    ):
        read_sources(path)


def test_a_column_of_another_feed_is_none(tmp_path: Path) -> None:
    path = file(tmp_path, '[costs]\nfeed = "unit_costs"\ncolumns.quantity = "Menge"\n')
    with pytest.raises(
        SourcesError, match="there is no column 'quantity'; there are product_id, cost, valid_from"
    ):
        read_sources(path)
