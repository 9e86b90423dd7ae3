"""A file opened as what its bytes are; its name says nothing."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol, Self

from pipeline.landing.archive import OrderLineArchive
from pipeline.landing.blocks import BLOCK_BYTES, ROW_BYTES, BlockReader, FileIdentity
from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused
from pipeline.landing.json_file import JsonFile, rows_of_lines, rows_of_list
from pipeline.landing.packing import ZIP_MAGICS, members_of
from pipeline.landing.parquet_file import ParquetFile
from pipeline.landing.reader import OrderLineFile
from pipeline.sources import SourceSettings

Kind = Literal["CSV", "JSON", "JSON lines", "Parquet", "zip"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEAD_BYTES = ROW_BYTES + 1
# What follows the bracket of a JSON list; a CSV may begin with a header in brackets.
_AFTER_BRACKET = b'{[]"-0123456789'
_CUT_BETWEEN = (b"[", b"{", b",", b":")
_ROWS = {"JSON": rows_of_list, "JSON lines": rows_of_lines}


class OrderLines(Protocol):
    """Order lines open for reading, whatever the format; a context manager.

    ``columns`` says where our columns are; ``chunks()`` yields the rows, once.
    """

    columns: ColumnMap
    # Of text alone: the others say how they are written.
    encoding: Encoding | None

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""

    @property
    def bytes_total(self) -> int:
        """The file's size on disk."""

    @property
    def bytes_read(self) -> int:
        """How much of the file on disk the chunks so far make up."""

    def chunks(self) -> Iterator[Chunk]:
        """The rows in file order."""


def open_order_lines(path: Path, settings: SourceSettings, block_bytes: int = BLOCK_BYTES) -> OrderLines:
    """Open a file of order lines: CSV, JSON, JSON lines (packed or not), Parquet or a spreadsheet.

    Raises:
        LandingError: it cannot be opened.
        FileRefused: it is none of these, is damaged, or lacks a required column.
    """
    kind = _kind(path)
    if kind == "Parquet":
        return ParquetFile(path, settings)
    if kind == "zip":
        return _open_zip(path, settings, block_bytes)
    if kind in _ROWS:
        return JsonFile(path, _ROWS[kind], settings, block_bytes)
    return OrderLineFile(path, settings, block_bytes)


def _open_zip(path: Path, settings: SourceSettings, block_bytes: int) -> OrderLines:
    members = members_of(path)
    if _is_workbook(path):
        # It takes a moment to load, and few files need it.
        from pipeline.landing.spreadsheet import Spreadsheet

        return Spreadsheet(path, settings)
    names = [member.filename for member in members]
    kinds = {name: _kind(path, name) for name in names}
    first = kinds[names[0]]
    for name, kind in kinds.items():
        if kind in ("zip", "Parquet"):
            raise FileRefused(
                f"the zip archive's member {name!r} is a spreadsheet, Parquet file or archive itself; "
                "send it without the zip archive"
            )
        if kind != first:
            raise FileRefused(
                f"the zip archive has files of two kinds: {names[0]!r} is {first}, {name!r} is {kind}; "
                "pack only files of one kind together"
            )
    if first in _ROWS:
        return JsonFile(path, _ROWS[first], settings, block_bytes, names)
    return OrderLineArchive(path, settings, members, block_bytes)


def _is_workbook(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return True
    if "xl/workbook.bin" in names or {"mimetype", "content.xml"} <= names:
        raise FileRefused(
            "the file is a spreadsheet of a kind that cannot be read; save it as .xlsx or CSV (UTF-8)"
        )
    return False


def _kind(path: Path, member: str | None = None) -> Kind:
    source = BlockReader(path, _HEAD_BYTES, member)
    try:
        head = source.head(_HEAD_BYTES)
    finally:
        source.close()
    if source.packing in (None, "zip"):
        if head.startswith(ZIP_MAGICS):
            return "zip"
        if head.startswith(b"PAR1"):
            return "Parquet"
    return _kind_of_text(head.removeprefix(_BYTE_ORDER_MARK).lstrip())


def _kind_of_text(text: bytes) -> Kind:
    after = text[1:1024].lstrip()[:1]
    if text.startswith(b"[") and after and after in _AFTER_BRACKET:
        return "JSON"
    if text.startswith(b"{") and after and after in b'"}':
        return "JSON lines" if _is_lines(text) else "JSON"
    return "CSV"


def _is_lines(text: bytes) -> bool:
    """Whether text that begins with an object is an object a line, not one document."""
    line, _, rest = text.partition(b"\n")
    line = line.strip()
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return rest.lstrip().startswith(b"{") and not line.endswith(_CUT_BETWEEN)
    return bool(rest.strip()) or not any(map(_is_list_of_objects, value.values()))


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
