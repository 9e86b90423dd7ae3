"""Any table written in any way that the product says it can read is read as the same rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.landing.dates import find_format, parsed
from pipeline.landing.errors import FileRefused
from pipeline.sources import SourceSettings
from tests.pipeline.landing.dialects import COLUMNS, TABLES, Line, as_parquet, as_workbook
from tests.pipeline.landing.files import bytes_file
from tests.pipeline.landing.written_lines import DATE_FORMATS, codec_of, dialects, lines, read_back

# Formats that a source need not say.
CANDIDATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%m.%d.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d.%m.%y", "%m.%d.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip


def named(found: Sequence[Line]) -> list[Line]:
    """The lines as they land: a blank region has a name."""
    return [replace(line, region=line.region or "Unspecified") for line in found]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_text_in_any_dialect_gives_the_rows_that_were_written(tmp_path: Path, data: st.DataObject) -> None:
    dialect = data.draw(dialects(), "dialect")
    written = data.draw(st.lists(lines(codec_of(dialect)), min_size=2, max_size=12), "lines")
    # The head must fit into the first block; from there on their borders may fall anywhere.
    block_bytes = len(dialect.encoded(dialect.head())) + data.draw(st.integers(2, 300), "beyond the head")
    path = bytes_file(tmp_path, dialect.written(written))
    back = read_back(path, dialect.settings, block_bytes)
    assert back.quarantined == {}
    assert back.lines == named(dialect.read_as(written))


@pytest.mark.parametrize("write", TABLES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.lists(lines("utf-8"), min_size=1, max_size=30),
    block_bytes=st.integers(20, 2_000),
    decimal_mark=st.sampled_from([".", ","]),
    date_format=st.sampled_from([None, *DATE_FORMATS]),
)
def test_tables_of_other_formats_give_the_rows_that_were_written(
    tmp_path: Path,
    write: Callable[[Sequence[Line]], bytes],
    written: list[Line],
    block_bytes: int,
    decimal_mark: str,
    date_format: str | None,
) -> None:
    path = bytes_file(tmp_path, write(written))
    said: dict[str, Any] = {"columns": COLUMNS, "duplicate_rows": "keep", "decimal_mark": decimal_mark}
    # What texts look like changes nothing of numbers and dates that are such; JSON has no dates.
    if write in (as_workbook, as_parquet):
        said["date_format"] = date_format
    back = read_back(path, SourceSettings(**said), block_bytes)
    assert back.quarantined == {}
    assert back.lines == named(written)


@settings(max_examples=200, deadline=None)
@given(
    format=st.sampled_from(CANDIDATES),
    days=st.lists(st.dates(date(1970, 1, 1), date(2060, 12, 31)), min_size=1, max_size=6),
)
def test_a_date_format_that_is_found_out_is_the_one_that_was_written(format: str, days: list[date]) -> None:
    texts = pl.Series("text", [day.strftime(format) for day in days])
    found, refusal = found_or_refused(texts)
    if found is None:
        assert "the dates can be read in several ways" in refusal
        assert f"{format} reads " in refusal
    else:
        assert texts.to_frame().select(parsed("text", found)).to_series().to_list() == days


def found_or_refused(texts: pl.Series) -> tuple[str | None, str]:
    """The format of these dates, which come in two chunks, or why there is none."""
    try:
        return find_format([texts[:1], texts[1:]]).format, ""
    except FileRefused as error:
        return None, str(error)
