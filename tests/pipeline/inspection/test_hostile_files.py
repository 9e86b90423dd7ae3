"""An inspection of a hostile file ends with figures that balance, or with one clear error."""

from pathlib import Path

import pytest

from pipeline.landing import LandingError
from tests.pipeline.inspection.proposing import inspected, read_by_entry
from tests.pipeline.landing.files import bytes_file
from tests.pipeline.landing.hostile_files import ALL, Hostile, expected

REFUSED_OUTRIGHT = {
    "empty",
    "no text",
    "a mark against the declaration",
    "a constant for a column that is there",
    "a name twice",
}


@pytest.mark.parametrize("hostile", ALL, ids=[hostile.name for hostile in ALL])
def test_it_is_told_what_a_file_is_or_why_not(tmp_path: Path, hostile: Hostile) -> None:
    path = bytes_file(tmp_path, hostile.data)
    if hostile.name in REFUSED_OUTRIGHT:
        with pytest.raises(LandingError, match=f"sales.csv: {hostile.refused}"):
            inspected(path, **hostile.settings)
        return
    found = inspected(path, **hostile.settings)
    assert found.rows_read == found.rows_accepted + found.rows_quarantined
    if hostile.refused is None:
        assert found.refusal is None
        # What an inspection finds out may even save rows that nobody described.
        assert set(expected(hostile)) <= set(read_by_entry(path, found))
