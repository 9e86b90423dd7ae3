"""Bytes → rows: what a row is, and that every way of reading agrees."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.landing.blocks import ROW_BYTES
from pipeline.landing.chunks import Damage, Shape
from pipeline.landing.errors import FileRefused, LandingError
from pipeline.landing.fast_reader import read_fast
from pipeline.landing.reader import OrderLineFile
from pipeline.landing.slow_reader import read_slowly
from pipeline.sources import SourceSettings
from tests.pipeline.landing.files import (
    ADDRESS_HEADER,
    HEADER,
    SAMPLE,
    bytes_file,
    chunk_rows,
    csv_file,
    rows_of,
)

THREE = Shape(width=3, joins_surplus=False, key_positions=(0, 1))
THREE_WITH_ADDRESS = Shape(width=3, joins_surplus=True, key_positions=(0, 1))


def test_the_six_lines_keep_their_whole_addresses() -> None:
    rows = rows_of(SAMPLE)
    assert [row[0] for row in rows] == [2, 3, 4, 5, 6, 7]
    assert [row[2][14] for row in rows] == [
        "123 Main St, Anytown, CA 12345",
        "456 Elm St, Otherville, NY 54321",
        "123 Main St, Anytown, CA 12345",
        "789 Oak St, New City, TX 75024",
        "456 Elm St, Otherville, NY 54321",
        "789 Oak St, New City, TX 75024",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"a,b,c\nd,e,f\n",
        b"a,b,c\r\nd,e,f\r\n",
        b"a,b,c\nd,e,f",
        b'"a","b","c"\n"d","e, f","g ""h"""\n',
        b'"","b",\r\n,,\r\n',
        b" a , b,c \n\xc3\xa9,\xe2\x82\xac,x\n",
        b'a,b,"c"\r\n',
    ],
)
def test_regular_blocks_are_read_fast_and_as_the_slow_way_reads_them(data: bytes) -> None:
    fast = read_fast(data, THREE, 1)
    assert fast is not None
    slow, carried = read_slowly(data, THREE, 1, is_last=True)
    assert list(chunk_rows(fast)) == list(chunk_rows(slow))
    assert carried == b""


@pytest.mark.parametrize("data", [b"a,b,c, d,e\nf,g,h\n", b'a,b,c,\r\n"f, f",g,h,i\r\n', b"a,b,c,,\n"])
def test_rows_with_a_surplus_for_the_address_are_read_fast(data: bytes) -> None:
    fast = read_fast(data, THREE_WITH_ADDRESS, 1)
    assert fast is not None
    slow, _ = read_slowly(data, THREE_WITH_ADDRESS, 1, is_last=True)
    assert list(chunk_rows(fast)) == list(chunk_rows(slow))


def test_the_surplus_is_joined_with_its_commas_and_blanks() -> None:
    chunk, _ = read_slowly(b"a,b, 1 Main St,  Town,,\n", THREE_WITH_ADDRESS, 1, is_last=True)
    assert chunk.text.rows() == [("a", "b", " 1 Main St,  Town,,")]


PIECES = st.sampled_from(
    [
        b'"',
        b'""',
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"a",
        b"bc",
        b" ",
        b"\xc3\xa9",
        b"\xff",
        b"\x00",
        b"\x1a",
        b"a,b,c\n",
        b'"a","b, x","c"\n',
        b'"a\nb",c,d\n',
        b"a,b,c,d\n",
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(PIECES, max_size=30).map(b"".join),
    st.booleans(),
    st.sampled_from(",;\t|"),
    st.sampled_from([None, "\\"]),
)
def test_the_fast_way_never_differs_from_the_slow_one(
    data: bytes, with_address: bool, delimiter: str, escape: str | None
) -> None:
    shape = replace(THREE_WITH_ADDRESS if with_address else THREE, delimiter=delimiter, escape=escape)
    # Commas stay, too: they are then a part of the fields.
    data = data.replace(b",", delimiter.encode(), data.count(b",") * 3 // 4)
    fast = read_fast(data, shape, 5) if data else None
    if fast is not None:
        slow, carried = read_slowly(data, shape, 5, is_last=True)
        assert list(chunk_rows(fast)) == list(chunk_rows(slow))
        assert carried == b""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(PIECES, max_size=30).map(b"".join), address=st.booleans(), block=st.integers(1, 40))
def test_it_does_not_matter_where_blocks_are_cut(
    tmp_path: Path, data: bytes, address: bool, block: int
) -> None:
    header = ADDRESS_HEADER if address else HEADER
    path = bytes_file(tmp_path, header.encode() + b"\n" + data)
    assert rows_of(path, block) == rows_of(path)


TRICKY = (
    b'1,P1,2024-01-01,1,"10.00",x\r\n'
    b'2,"P, 2",2024-01-02,1,1.50,"12 ""Big"" St\r\nTown, A"\r\n'
    b"\r\n"
    b"3,P3,2024-01-03,1,2.00,1 Main St, Town, A\n"
    b'4,P"4,2024-01-04,1,2.00,caf\xc3\xa9\n'
    b'5,P5,2024-01-05,1,2.00,"open\n'
    b'6,P6,2024-01-06,1,2.00,"fine"\n'
    b"7,P7,2024\n"
    b"8,P8,2024-01-08,1,2.00,bad\xff\n"
    b"9,P9,2024-01-09,1,2.00,last"
)


def test_a_tricky_file_reads_the_same_at_every_block_size(tmp_path: Path) -> None:
    data = ADDRESS_HEADER.encode() + b"\r\n" + TRICKY
    path = bytes_file(tmp_path, data)
    expected = [
        (2, 0, ("1", "P1", "2024-01-01", "1", "10.00", "x"), '1,P1,2024-01-01,1,"10.00",x'),
        (
            3,
            0,
            ("2", "P, 2", "2024-01-02", "1", "1.50", '12 "Big" St\r\nTown, A'),
            '2,"P, 2",2024-01-02,1,1.50,"12 ""Big"" St\r\nTown, A"',
        ),
        (
            6,
            0,
            ("3", "P3", "2024-01-03", "1", "2.00", "1 Main St, Town, A"),
            "3,P3,2024-01-03,1,2.00,1 Main St, Town, A",
        ),
        (7, 0, ("4", 'P"4', "2024-01-04", "1", "2.00", "café"), '4,P"4,2024-01-04,1,2.00,café'),
        (8, Damage.MALFORMED_QUOTES, (None,) * 6, '5,P5,2024-01-05,1,2.00,"open'),
        (9, 0, ("6", "P6", "2024-01-06", "1", "2.00", "fine"), '6,P6,2024-01-06,1,2.00,"fine"'),
        (10, Damage.TOO_FEW_FIELDS, ("7", "P7", None, None, None, None), "7,P7,2024"),
        (
            11,
            Damage.INVALID_UTF8,
            ("8", "P8", "2024-01-08", "1", "2.00", None),
            "8,P8,2024-01-08,1,2.00,bad\\xff",
        ),
        (12, 0, ("9", "P9", "2024-01-09", "1", "2.00", "last"), "9,P9,2024-01-09,1,2.00,last"),
    ]
    for block in range(1, len(data) + 2):
        assert rows_of(path, block) == expected, block


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    path = csv_file(tmp_path, '1,"P1,2024-01-01,1,1', "2,P2,2024-01-01,1,1", "3,P3,2024-01-01,1,1")
    assert [(row[0], row[1], row[2][0]) for row in rows_of(path)] == [
        (2, Damage.UNCLOSED_QUOTE, None),
        (3, 0, "2"),
        (4, 0, "3"),
    ]


@pytest.mark.parametrize("block", [50_000, 1_000_000, 12_000_000])
def test_a_quote_that_closes_too_far_away_costs_one_line(tmp_path: Path, block: int) -> None:
    filler = [f"{number},P,2024-01-01,1,1" for number in range(60_000)]
    path = csv_file(tmp_path, '1,"P1,2024-01-01,1,1', *filler, 'x,P,2024-01-01,1,"1"')
    rows = rows_of(path, block)
    assert len(rows) == 60_002
    assert rows[0][1] == Damage.UNCLOSED_QUOTE
    assert not any(row[1] for row in rows[1:])


@pytest.mark.parametrize("block", [100_000, 12_000_000])
def test_a_line_longer_than_a_row_may_be_is_cut_and_put_aside(tmp_path: Path, block: int) -> None:
    long = f"1,{'x' * 3 * ROW_BYTES},2024-01-01,1,1"
    path = csv_file(tmp_path, "0,P,2024-01-01,1,1", long, "2,P,2024-01-01,1,1")
    rows = rows_of(path, block)
    assert [(row[0], row[1], len(row[3])) for row in rows] == [
        (2, 0, 18),
        (3, Damage.ROW_TOO_LONG, ROW_BYTES),
        (4, 0, 18),
    ]


def test_a_carriage_return_inside_a_line_is_damage(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1,P\r1,2024-01-01,1,1", "2,P2,2024-01-01,1,1")
    assert [row[1] for row in rows_of(path)] == [Damage.STRAY_CARRIAGE_RETURN, 0]


def test_a_byte_order_mark_and_leading_empty_lines_are_no_part_of_the_header(tmp_path: Path) -> None:
    path = bytes_file(tmp_path, b"\xef\xbb\xbf\r\n" + HEADER.encode() + b"\r\n1,P1,2024-01-01,1,1\r\n")
    assert rows_of(path) == [(3, 0, ("1", "P1", "2024-01-01", "1", "1"), "1,P1,2024-01-01,1,1")]


@pytest.mark.parametrize(
    ("escape", "note", "read"),
    [
        (None, '"a\nb"', "a\nb"),
        (None, '"a\r\nb"', "a\n\nb"),
        (None, '"\\"', "\\"),
        ("\\", '"\\"\nb"', '"\nb'),
    ],
)
def test_the_first_line_end_outside_quotes_tells_how_lines_end(
    tmp_path: Path, escape: str | None, note: str, read: str
) -> None:
    header = HEADER.replace("Unit Price", '"Unit\nPrice"')
    text = f"{header},Note\r" + "".join(f"{order},P1,2024-01-01,1,1,{note}\r" for order in (1, 2))
    with OrderLineFile(bytes_file(tmp_path, text.encode()), SourceSettings(escape=escape)) as file:
        assert [row[2][-1] for chunk in file.chunks() for row in chunk_rows(chunk)] == [read, read]


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = bytes_file(tmp_path, gzip.compress(SAMPLE.read_bytes()), name="sales.csv")
    assert rows_of(path) == rows_of(SAMPLE)


def test_gzip_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(SAMPLE.read_bytes())
    path = bytes_file(tmp_path, whole[:-20], name="sales.csv.gz")
    with pytest.raises(FileRefused, match="gzip data is damaged or cut short"):
        rows_of(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"\xd0\xcf\x11\xe0rest", "an old spreadsheet, or one with a password"),
        (",".join(f"c{number}" for number in range(10_001)).encode(), "required columns are missing"),
        (b"Order\0ID,Product ID\n", "NUL characters"),
        (b"Order ID,Stra\xdfe\n", "Product ID"),
        (b'Order ID,"Product ID\n', 'Order ID,"Product ID'),
        (
            b"Order ID,Date of Sale,Unit Price,Shop\n",
            "required columns are missing: Product ID, Quantity Sold. "
            "Found in the line of column names: Order ID, Date of Sale, Unit Price, Shop",
        ),
        (HEADER.encode() + b",quantity", "'Quantity Sold' and 'quantity' name the same column"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(FileRefused, match=message):
        OrderLineFile(bytes_file(tmp_path, data), SourceSettings())


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="cannot be read"):
        OrderLineFile(tmp_path / "none.csv", SourceSettings())


def test_headers_match_whatever_their_case_blanks_and_underscores(tmp_path: Path) -> None:
    header = "PRODUCT_ID, order id ,dateofsale,Quantity_Sold,UNIT  PRICE,Till"
    with OrderLineFile(csv_file(tmp_path, header=header), SourceSettings()) as file:
        assert file.columns.positions == {
            "product_id": 0,
            "order_id": 1,
            "sale_date": 2,
            "quantity": 3,
            "unit_price": 4,
        }
        assert file.columns.extra == {"Till": 5}
