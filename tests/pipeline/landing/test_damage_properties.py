"""Bytes that somebody or something has spoiled: the accounts balance, or the file is refused in words.

Damage to a letter costs no row but its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.landing import LandingRequest, check
from pipeline.landing.quarantine import QuarantinedRow
from pipeline.sources import SourceSettings
from tests.pipeline.landing.dialects import COLUMNS, TABLES, Dialect, Line
from tests.pipeline.landing.files import bytes_file
from tests.pipeline.landing.written_lines import codec_of, dialects, lines, read_back

# Which edit, where (as a share of the file), and with which bytes.
Edit = tuple[str, float, bytes]

BYTES = st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"\\", b"9" * 30]) | st.binary(
    min_size=1, max_size=4
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["flip", "delete", "insert", "truncate"]), st.floats(0, 1), BYTES),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, edit: Edit) -> bytes:
    kind, share, piece = edit
    at = min(int(share * len(data)), max(len(data) - 1, 0))
    if kind == "truncate":
        return data[:at]
    if kind == "insert":
        return data[:at] + piece + data[at:]
    if kind == "delete":
        return data[:at] + data[at + len(piece) :]
    flipped = bytes(old ^ (new or 1) for old, new in zip(data[at : at + len(piece)], piece, strict=False))
    return data[:at] + flipped + data[at + len(piece) :]


def assert_accounted_for(path: Path, said: SourceSettings) -> None:
    """Its rows are accepted or quarantined, or the file is refused with a reason."""
    kept: list[QuarantinedRow] = []
    request = LandingRequest((path,), settings=said)
    [result] = check(request, lambda _: None, lambda _, rows: kept.extend(rows))
    assert result.status in ("checked", "refused")
    if result.status == "refused":
        assert result.message
    else:
        assert result.rows_read == result.rows_accepted + result.rows_quarantined
        assert (result.rows_quarantined, sum(result.reasons.values())) == (len(kept), len(kept))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), edits=EDITS)
def test_damaged_text_is_accounted_for(tmp_path: Path, data: st.DataObject, edits: list[Edit]) -> None:
    dialect = data.draw(dialects(), "dialect")
    written = data.draw(st.lists(lines(codec_of(dialect)), min_size=1, max_size=12), "lines")
    path = bytes_file(tmp_path, reduce(edited, edits, dialect.written(written)))
    assert_accounted_for(path, dialect.settings)


@pytest.mark.parametrize("write", TABLES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(lines("utf-8"), min_size=1, max_size=12), edits=EDITS)
def test_damaged_tables_of_other_formats_are_accounted_for(
    tmp_path: Path, write: object, written: list[Line], edits: list[Edit]
) -> None:
    assert callable(write)
    path = bytes_file(tmp_path, reduce(edited, edits, write(written)))
    assert_accounted_for(path, SourceSettings(columns=COLUMNS))


def replaced_letter(dialect: Dialect, row: str, at: int, letter: str) -> bytes | None:
    """A row with another letter at one of its letters; none when it has no letter that stands for itself."""
    structure = {*',;\t|"\r\n', "\\"}
    places = [place for place, character in enumerate(row) if character not in structure]
    if not places:
        return None
    place = places[at % len(places)]
    before, after = row[:place].encode(dialect.encoding), row[place + 1 :].encode(dialect.encoding)
    return before + letter.encode(dialect.encoding) + after


def replaced_byte(dialect: Dialect, row: str, at: int, byte: int) -> bytes:
    """A row with another byte in place of one that is no quote, delimiter, line end or escape."""
    structure = b',;\t|"\r\n\\'
    data = row.encode(dialect.encoding)
    places = [place for place, code in enumerate(data) if code not in structure]
    place = places[at % len(places)]
    return data[:place] + bytes([byte]) + data[place + 1 :]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_letter_changes_only_its_own_row(tmp_path: Path, data: st.DataObject) -> None:
    dialect = replace(data.draw(dialects(), "dialect"), declared=True, packing="none", blank_lines=False)
    written = data.draw(st.lists(lines(codec_of(dialect)), min_size=2, max_size=8), "lines")
    rows = [dialect.row(line) for line in written]
    number = data.draw(st.integers(0, len(rows) - 1), "row")
    at = data.draw(st.integers(0, 10_000), "place")
    damaged: bytes | None
    if dialect.encoding.startswith("utf-16"):
        letter = data.draw(st.characters(codec="utf-16", exclude_characters=',;\t|"\r\n\\\u0a00'), "letter")
        damaged = replaced_letter(dialect, rows[number], at, letter)
    else:
        byte = data.draw(st.integers(0, 255).filter(lambda code: code not in b',;\t|"\r\n\\'), "byte")
        damaged = replaced_byte(dialect, rows[number], at, byte)
    end = dialect.line_end.encode(dialect.encoding)
    whole = [row.encode(dialect.encoding) for row in rows]
    spoiled = [*whole[:number], damaged or whole[number], *whole[number + 1 :]]
    block_bytes = len(dialect.encoded(dialect.head())) + data.draw(st.integers(2, 300), "beyond the head")

    def outcomes(each: Sequence[bytes]) -> dict[int, object]:
        text = dialect.encoded(dialect.head()) + b"".join(row + end for row in each)
        back = read_back(bytes_file(tmp_path, text), dialect.settings, block_bytes)
        reasons = {row: quarantined.reasons for row, quarantined in back.quarantined.items()}
        return dict(sorted({**back.accepted, **reasons}.items()))

    before, after = outcomes(whole), outcomes(spoiled)
    own = list(before)[number]
    assert before.keys() == after.keys()
    assert {row for row in before if before[row] != after[row]} <= {own}
