"""Whatever a file calls its columns, the entry is TOML that says exactly that."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pipeline.inspection.entry import toml_entry
from pipeline.inspection.models import Doubt, HeaderReading
from pipeline.sources import SourceSettings, read_sources

# What a header can be: any text that can be written as UTF-8, up to what sources.toml takes.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(header=TEXTS, constant=TEXTS, source=TEXTS, remark=TEXTS)
def test_an_entry_is_read_back_as_it_was_meant(header: str, constant: str, source: str, remark: str) -> None:
    settings = SourceSettings(
        columns={"order_id": header}, constants={"region": constant}, delimiter="\t", escape="\\"
    )
    readings = [HeaderReading(header, "order_id", "similar", remark)]
    doubts = [Doubt("date_format", remark, (('date_format = "%d/%m/%Y"', remark),))]
    entry = toml_entry(source, settings, readings, ("quantity",), doubts)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "sources.toml"
        file.write_text(entry, encoding="utf-8")
        assert read_sources(file) == {source: settings}


def test_nothing_to_say_is_no_entry() -> None:
    assert toml_entry("default", SourceSettings(), [], (), []) == ""
