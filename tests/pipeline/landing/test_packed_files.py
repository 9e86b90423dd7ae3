"""Packed files: read as what is in them, in bounded memory, or refused."""

import gzip
import zipfile
from pathlib import Path

import pytest

from pipeline.landing import packing
from pipeline.landing.opening import open_order_lines
from pipeline.sources import SourceSettings
from tests.pipeline.landing.dialects import zstandard
from tests.pipeline.landing.files import HEADER, SAMPLE, bytes_file, refusal_of, rows_of

ROW = "1,P1,2024-01-01,1,1"


def zip_file(folder: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "sales.csv"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def csv(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstandard, lambda data: zstandard(data[:99]) + zstandard(data[99:])]
)
@pytest.mark.parametrize("block_bytes", [7, 1_000_000])
def test_packing_is_known_by_its_content(tmp_path: Path, pack: object, block_bytes: int) -> None:
    assert callable(pack)
    path = bytes_file(tmp_path, pack(SAMPLE.read_bytes()), name="1.csv")
    assert rows_of(path, block_bytes) == rows_of(SAMPLE)


def test_a_zip_with_one_member_is_that_member(tmp_path: Path) -> None:
    assert rows_of(zip_file(tmp_path, {"sales.csv": SAMPLE.read_bytes()})) == rows_of(SAMPLE)


def test_members_are_one_file_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = zip_file(
        tmp_path,
        {
            "2/b.csv": csv("3,P3,2024-01-03,3,3").rstrip(),
            "1/a.csv": csv(ROW, "2,P2,2024-01-02,2,2").rstrip(),
            "3.csv": csv("4,P4,2024-01-04,4,4"),
            "1/": b"",
            ".hidden": b"x",
            "1/.hidden.csv": b"x",
            "__MACOSX/1/._a.csv": b"x",
        },
    )
    expected = [
        (2, 0, ("1", "P1", "2024-01-01", "1", "1"), ROW),
        (3, 0, ("2", "P2", "2024-01-02", "2", "2"), "2,P2,2024-01-02,2,2"),
        (5, 0, ("3", "P3", "2024-01-03", "3", "3"), "3,P3,2024-01-03,3,3"),
        (7, 0, ("4", "P4", "2024-01-04", "4", "4"), "4,P4,2024-01-04,4,4"),
    ]
    assert rows_of(path) == rows_of(path, 5) == expected


def test_progress_ends_at_the_size_on_disk(tmp_path: Path) -> None:
    path = zip_file(tmp_path, {"a.csv": csv(ROW), "b.csv": csv(ROW)})
    with open_order_lines(path, SourceSettings()) as file:
        seen = [file.bytes_read for _ in file.chunks()]
        assert seen == sorted(seen)
        assert file.bytes_read == file.bytes_total == path.stat().st_size


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "the zip archive is empty: it must hold one file of order lines, or several alike"),
        (
            {"a/": b"", ".b": b"x"},
            "the zip archive is empty: it must hold one file of order lines, or several alike",
        ),
        (
            {"a.csv": csv(ROW), "b.csv": csv(f"{ROW},x", header=f"{HEADER},Till")},
            "the zip archive's member 'b.csv' has other column names than 'a.csv'; "
            "pack only files with the same columns together",
        ),
        (
            {"a.csv": csv(ROW), "b.csv": b""},
            "the zip archive's member 'b.csv': the file is empty: it must begin with a line of column names",
        ),
        (
            {"a.csv": csv(ROW), "b.json": b'[{"order_id": 1}]'},
            "the zip archive has files of two kinds: 'a.csv' is CSV, 'b.json' is JSON; "
            "pack only files of one kind together",
        ),
        (
            {"a.csv": b"PK\x03\x04"},
            "the zip archive's member 'a.csv' is a spreadsheet, Parquet file or archive itself; "
            "send it without the zip archive",
        ),
    ],
)
def test_a_zip_that_is_not_one_table_is_refused(
    tmp_path: Path, members: dict[str, bytes], message: str
) -> None:
    assert refusal_of(zip_file(tmp_path, members)) == message


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zip_file(tmp_path, {"a.csv": csv(ROW)})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert refusal_of(path) == "the zip archive's member 'a.csv' is encrypted; pack it without a password"


def test_a_method_that_cannot_be_bounded_is_refused(tmp_path: Path) -> None:
    path = zip_file(tmp_path, {"a.csv": csv(ROW)}, method=zipfile.ZIP_LZMA)
    assert refusal_of(path) == (
        "the zip archive's member 'a.csv' is packed by a method that cannot be read; "
        "pack it with the usual one (deflate)"
    )


def test_a_zip_that_is_cut_short_or_spoiled_is_refused(tmp_path: Path) -> None:
    path = zip_file(tmp_path, {"a.csv": csv(*[ROW] * 999)}, method=zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert refusal_of(path) == (
        "the zip archive is damaged or cut short (File is not a zip file); send the file again"
    )
    path.write_bytes(whole[:900] + b"x" + whole[901:])
    assert refusal_of(path) == (
        "the zip data is damaged or cut short (Bad CRC-32 for file 'a.csv'); send the file again"
    )


def test_zstandard_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = bytes_file(tmp_path, zstandard(SAMPLE.read_bytes())[:-9])
    assert refusal_of(path) == (
        "the zstandard data is damaged or cut short (Truncated compressed stream); send the file again"
    )


def test_what_is_packed_twice_is_refused(tmp_path: Path) -> None:
    path = bytes_file(tmp_path, gzip.compress(gzip.compress(SAMPLE.read_bytes())))
    assert refusal_of(path) == "the file is no CSV text: it looks like packed twice; pack it once"


@pytest.mark.parametrize("pack", ["gzip", "zstandard", "zip"])
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str) -> None:
    monkeypatch.setattr(packing, "UNPACKED_BYTES", 1_000_000)
    data = csv() + f"{ROW}\n".encode() * 200_000
    if pack == "zip":
        path = zip_file(tmp_path, {"a.csv": data, "b.csv": data})
    else:
        path = bytes_file(tmp_path, gzip.compress(data, 9) if pack == "gzip" else zstandard(data))
    size = path.stat().st_size
    assert len(data) > 200 * size
    limit = max(1_000_000, 200 * size)
    assert refusal_of(path) == (
        f"the file unpacks to more than {limit:,} bytes from {size:,}: more than 200 times its size and "
        "more than 1,000,000 bytes; send it in parts, or unpacked"
    )


def test_a_file_may_unpack_to_much_more_than_its_size_while_it_is_small(tmp_path: Path) -> None:
    data = csv() + f"{ROW}\n".encode() * 200_000
    path = bytes_file(tmp_path, zstandard(data))
    assert len(data) > 200 * path.stat().st_size
    assert len(rows_of(path)) == 200_000
