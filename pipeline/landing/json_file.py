"""Order lines as JSON objects: in one list, or one on each line (NDJSON)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline.landing.blocks import BLOCK_BYTES, ROW_BYTES, BlockReader, FileIdentity
from pipeline.landing.chunks import Chunk, Damage, shown
from pipeline.landing.columns import ColumnMap, map_columns
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused
from pipeline.landing.json_text import DECODER, JsonText, field_text
from pipeline.landing.table_rows import require_few_columns, table_chunk
from pipeline.sources import SourceSettings

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ROWS_PER_CHUNK = 50_000


@dataclass(frozen=True)
class JsonRow:
    """One object: its number, its members (None when they cannot be told), its text."""

    number: int
    members: dict[str, Any] | None
    damage: Damage
    text: str


# The rows of what is open for reading, the first of which has the number that follows the given one.
ReadRows = Callable[[BlockReader, int], Iterator[JsonRow]]


class JsonFile:
    """One file of JSON objects, open for reading; a context manager.

    It is read twice, because any object may bring a key that those before it lack: once for the
    keys, which become the columns in the order in which they come, and once for the rows.
    """

    encoding: Encoding | None = None

    def __init__(
        self,
        path: Path,
        read_rows: ReadRows,
        settings: SourceSettings,
        block_bytes: int = BLOCK_BYTES,
        members: Sequence[str | None] = (None,),
    ) -> None:
        """Open the file and find its keys; of a zip archive those of all ``members``.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: it is broken, has no objects, or lacks a required column.
        """
        self._path = path
        self._read_rows = read_rows
        self._block_bytes = block_bytes
        self._members = tuple(members)
        self._decimal_mark = settings.decimal_mark
        self._open = BlockReader(path, block_bytes, self._members[0])
        try:
            self._keys = self._all_keys()
            self.columns: ColumnMap = map_columns(self._keys, settings, "its objects")
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> "JsonFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return self._open.identity

    @property
    def bytes_total(self) -> int:
        """The file's size on disk."""
        return self._open.bytes_total

    @property
    def bytes_read(self) -> int:
        """How much of the file on disk the chunks so far make up."""
        return self._open.bytes_read

    def chunks(self) -> Iterator[Chunk]:
        """The rows in file order."""
        positions = {key: position for position, key in enumerate(self._keys)}
        gathered = _Gathered(positions, self._decimal_mark)
        for row in self._rows():
            gathered.add(row)
            if len(gathered.rows) == _ROWS_PER_CHUNK or gathered.characters > self._block_bytes:
                yield gathered.chunk()
                gathered = _Gathered(positions, self._decimal_mark)
        if gathered.rows:
            yield gathered.chunk()

    def _all_keys(self) -> list[str]:
        keys: dict[str, None] = {}
        for row in self._rows():
            if row.members and not row.members.keys() <= keys.keys():
                keys.update(dict.fromkeys(row.members))
                require_few_columns(tuple(keys))
        if not _is_text("".join(keys)) or any("\x00" in key for key in keys):
            raise FileRefused("the JSON has a key with characters that are no text; rename it")
        if not keys:
            raise FileRefused(
                "the JSON has no objects: it must be a list of objects, such a list under a key, "
                "or one object on each line"
            )
        return list(keys)

    def _rows(self) -> Iterator[JsonRow]:
        number = 0
        for member in self._members:
            self._open.close()
            self._open = BlockReader(self._path, self._block_bytes, member)
            for row in self._read_rows(self._open, number):
                number = row.number
                yield row


def rows_of_list(source: BlockReader, number: int) -> Iterator[JsonRow]:
    """The elements of a document's list; a row's number is the object's."""
    for value, text in JsonText(source).objects():
        number += 1
        yield _row(number, value, text)


def rows_of_lines(source: BlockReader, number: int) -> Iterator[JsonRow]:
    """The objects of lines; a row's number is the line's. A line that is no object is a damaged row."""
    is_first = True
    for block, _ in source:
        lines = block.split(b"\n")
        if is_first:
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
            is_first = False
        for at, line in enumerate(lines, 1):
            if line.strip():
                yield _row_of_line(number + at, line)
        number += block.count(b"\n")


def _row_of_line(number: int, line: bytes) -> JsonRow:
    if len(line) > ROW_BYTES:
        return JsonRow(number, None, Damage.ROW_TOO_LONG, shown(line))
    try:
        text = line.decode().strip()
        return _row(number, DECODER.decode(text), text)
    except UnicodeDecodeError:
        return JsonRow(number, None, Damage.INVALID_UTF8, shown(line))
    except (ValueError, RecursionError):
        return JsonRow(number, None, Damage.MALFORMED_JSON, shown(line))


def _row(number: int, value: object, text: str) -> JsonRow:
    if not isinstance(value, dict):
        return JsonRow(number, None, Damage.MALFORMED_JSON, text)
    if len(text) > ROW_BYTES:
        # Its keys would be nobody's to read.
        return JsonRow(number, None, Damage.ROW_TOO_LONG, text[:ROW_BYTES])
    return JsonRow(number, value, Damage.NONE, text)


@dataclass
class _Gathered:
    """Rows that become a chunk."""

    positions: dict[str, int]
    decimal_mark: str
    rows: list[JsonRow] = field(default_factory=list)
    characters: int = 0
    _fields: list[list[str]] = field(default_factory=list)
    _damage: list[int] = field(default_factory=list)

    def add(self, row: JsonRow) -> None:
        fields = [""] * len(self.positions)
        damage = row.damage
        for key, value in (row.members or {}).items():
            if key not in self.positions:
                raise FileRefused("the file changed while it was read; load it again once it is complete")
            fields[self.positions[key]] = field_text(value, self.decimal_mark)
        # Half of a character in two parts, written as an escape.
        if "\\u" in row.text and not _is_text("".join(fields)):
            damage |= Damage.INVALID_UTF8
            fields = [""] * len(fields)
        self.rows.append(row)
        self.characters += len(row.text)
        self._fields.append(fields)
        self._damage.append(int(damage))

    def chunk(self) -> Chunk:
        """The rows so far."""
        columns = zip(*self._fields, strict=True)
        return table_chunk(
            pl.DataFrame(
                {str(position): pl.Series(values, dtype=pl.String) for position, values in enumerate(columns)}
            ),
            np.asarray([row.number for row in self.rows], dtype=np.int64),
            np.asarray(self._damage, dtype=np.uint16),
            [row.text for row in self.rows],
        )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
