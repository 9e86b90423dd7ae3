"""A file opened as what its bytes are; its name says nothing."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
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

Kind = Literal["CSV", "JSON", "JSON lines", "Parquet", "Excel"]

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


@dataclass(frozen=True)
class Form:
    """What a file is: its kind, what it is packed in, and the members with data if that is a zip archive."""

    kind: Kind
    packing: str | None = None
    members: tuple[zipfile.ZipInfo, ...] = ()


def open_order_lines(path: Path, settings: SourceSettings, block_bytes: int = BLOCK_BYTES) -> OrderLines:
    """Open a file of order lines: CSV, JSON, JSON lines (packed or not), Parquet or a spreadsheet.

    Raises:
        LandingError: it cannot be opened.
        FileRefused: it is none of these, is damaged, or lacks a required column.
    """
    form = form_of(path)
    if form.kind == "Parquet":
        return ParquetFile(path, settings)
    if form.kind == "Excel":
        # It takes a moment to load, and few files need it.
        from pipeline.landing.spreadsheet import Spreadsheet

        return Spreadsheet(path, settings)
    if form.kind in _ROWS:
        names = [member.filename for member in form.members] or (None,)
        return JsonFile(path, _ROWS[form.kind], settings, block_bytes, names)
    if form.members:
        return OrderLineArchive(path, settings, form.members, block_bytes)
    return OrderLineFile(path, settings, block_bytes)


def form_of(path: Path) -> Form:
    """What a file's bytes say that it is.

    Raises:
        LandingError: it cannot be opened.
        FileRefused: it is a damaged archive, or one whose members cannot be read as one table.
    """
    kind, packing = _kind(path)
    return _form_of_zip(path) if kind == "zip" else Form(kind, packing)


def _form_of_zip(path: Path) -> Form:
    members = tuple(members_of(path))
    if _is_workbook(path):
        return Form("Excel")
    first: Kind | None = None
    for member in members:
        name = member.filename
        kind, _ = _kind(path, name)
        if kind == "zip" or kind == "Parquet":
            raise FileRefused(
                f"the zip archive's member {name!r} is a spreadsheet, Parquet file or archive itself; "
                "send it without the zip archive"
            )
        first = first or kind
        if kind != first:
            raise FileRefused(
                f"the zip archive has files of two kinds: {members[0].filename!r} is {first}, {name!r} is "
                f"{kind}; pack only files of one kind together"
            )
    assert first is not None
    return Form(first, "zip", members)


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


def _kind(path: Path, member: str | None = None) -> tuple[Kind | Literal["zip"], str | None]:
    """What a file (of a zip archive the ``member``) is, and what it is packed in."""
    source = BlockReader(path, _HEAD_BYTES, member)
    try:
        head = source.head(_HEAD_BYTES)
    finally:
        source.close()
    if source.packing in (None, "zip"):
        if head.startswith(ZIP_MAGICS):
            return "zip", None
        if head.startswith(b"PAR1"):
            return "Parquet", None
    return _kind_of_text(head.removeprefix(_BYTE_ORDER_MARK).lstrip()), source.packing


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
