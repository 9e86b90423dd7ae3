"""Files with bytes that somebody or something has spoiled: no row is lost, nothing breaks."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.landing import (
    LandingRequest,
    check,
)
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, one
from tests.pipeline.landing.files import SAMPLE, bytes_file


def damaged(edits: Sequence[tuple[int, bytes]]) -> bytes:
    data = bytearray(
        SAMPLE.read_bytes()
        + b'1007,P1,C1,"Tea, ""green""",T,Asia,2024-06-01,1,2.50,0,0,Cash,A,a@b.example,X\n'
    )
    header = data.index(b"\n") + 1
    for at, piece in edits:
        position = header + at % (len(data) - header)
        data[position : position + len(piece)] = piece
    return bytes(data)


EDITS = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"-", b'","', b"9" * 30, b" "])
        | st.binary(min_size=1, max_size=4),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_damaged_bytes_never_break_the_balance(
    warehouse: Warehouse, tmp_path: Path, edits: list[tuple[int, bytes]]
) -> None:
    result = one(warehouse, bytes_file(tmp_path, damaged(edits)), force=True)
    assert result.status in ("landed", "refused", "skipped")
    if result.status == "landed":
        assert result.rows_read == result.rows_accepted + result.rows_quarantined
        assert asked(
            warehouse,
            "select (select count(*) from raw.order_lines where batch_id = %s), "
            "(select count(*) from raw.quarantine where batch_id = %s)",
            result.batch_id,
            result.batch_id,
        ) == [(result.rows_accepted, result.rows_quarantined)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_a_dry_run_of_damaged_bytes_balances_too(tmp_path: Path, edits: list[tuple[int, bytes]]) -> None:
    [result] = check(LandingRequest((bytes_file(tmp_path, damaged(edits)),)), lambda _: None)
    if result.status == "checked":
        assert result.rows_read == result.rows_accepted + result.rows_quarantined
