"""A file's header, and its rows in chunks."""

import csv
from collections.abc import Iterator
from pathlib import Path

from pipeline.landing.blocks import BLOCK_BYTES, ROW_BYTES, BlockReader, FileIdentity
from pipeline.landing.chunks import Chunk, Shape
from pipeline.landing.columns import ColumnMap, map_columns
from pipeline.landing.errors import FileRefused
from pipeline.landing.fast_reader import read_fast
from pipeline.landing.slow_reader import read_slowly
from pipeline.landing.table_rows import require_few_columns

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# How files begin that people take for CSV, and what to do about it.
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a spreadsheet or zip archive inside another packing; send it without that"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old spreadsheet, or one with a password; save it as .xlsx without one, or as CSV (UTF-8)",
    ),
    (b"%PDF", "a PDF; export the data as CSV (UTF-8)"),
    (b"\x1f\x8b", "packed twice; pack it once"),
    (b"\x28\xb5\x2f\xfd", "packed twice; pack it once"),
    (b"PARE", "an encrypted Parquet file; send it without encryption"),
    (b"PAR1", "a Parquet file inside another packing; send it without that"),
    (b"\xff\xfe", "UTF-16 text; save it as CSV in UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as CSV in UTF-8"),
)


class OrderLineFile:
    """One CSV of order lines, open for reading; a context manager.

    ``columns`` says where our columns are; ``chunks()`` yields the rows, once. ``lines_read``
    counts the lines once all chunks are read.
    """

    def __init__(self, path: Path, block_bytes: int = BLOCK_BYTES, member: str | None = None) -> None:
        """Open the file (of a zip archive the ``member``) and read its header.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: it is empty, no text, or lacks a required column.
        """
        self._blocks = BlockReader(path, block_bytes, member)
        try:
            self._source = iter(self._blocks)
            self._first, self._is_last = next(self._source, (b"", True))
            headers, used = _read_header(self._first)
            require_few_columns(headers)
            self.columns: ColumnMap = map_columns(headers)
        except BaseException:
            self._blocks.close()
            raise
        self._first_line = 1 + self._first[:used].count(b"\n")
        self.lines_read = self._first_line - 1
        self._first = self._first[used:]

    def __enter__(self) -> "OrderLineFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._blocks.close()

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return self._blocks.identity

    @property
    def bytes_total(self) -> int:
        """The file's size on disk."""
        return self._blocks.bytes_total

    @property
    def bytes_read(self) -> int:
        """How much of the file on disk the chunks so far make up."""
        return self._blocks.bytes_read

    def chunks(self) -> Iterator[Chunk]:
        """The rows, a chunk a block, in file order."""
        shape = Shape.of(self.columns)
        line = self._first_line
        carried = b""
        for block, is_last in self._all_blocks():
            data = carried + block if carried else block
            chunk, carried = read_chunk(data, shape, line, is_last)
            line += data.count(b"\n") - carried.count(b"\n")
            self.lines_read = line - data.endswith(b"\n")
            if chunk.text.height:
                yield chunk

    def _all_blocks(self) -> Iterator[tuple[bytes, bool]]:
        if self._first:
            yield self._first, self._is_last
        yield from self._source


def read_chunk(data: bytes, shape: Shape, first_line: int, is_last: bool) -> tuple[Chunk, bytes]:
    """The rows of a block, and the bytes to put before the next one."""
    chunk = read_fast(data, shape, first_line)
    if chunk is not None:
        return chunk, b""
    return read_slowly(data, shape, first_line, is_last)


def _read_header(block: bytes) -> tuple[list[str], int]:
    """The header's fields, and how many bytes they take with everything before them."""
    for beginning, advice in _OTHER_FORMATS:
        if block.startswith(beginning):
            raise FileRefused(f"the file is no CSV text: it looks like {advice}")
    start = len(_BYTE_ORDER_MARK) if block.startswith(_BYTE_ORDER_MARK) else 0
    head = block[start : start + ROW_BYTES]
    if not head.strip():
        raise FileRefused("the file is empty: it must begin with a line of column names")
    lines = [line + b"\n" for line in head.split(b"\n")]
    reader = csv.reader((line.decode() for line in lines), strict=True)
    try:
        headers = next(fields for fields in reader if fields)
    except UnicodeDecodeError as error:
        raise FileRefused(
            f"the column names are no UTF-8 text (at byte {start + error.start + 1}); save the file as UTF-8"
        ) from error
    except (csv.Error, StopIteration) as error:
        raise FileRefused(
            "the line of column names cannot be read: "
            f"{error or 'it does not end'}; check its quotes, and that lines end with LF or CRLF"
        ) from error
    if any("\x00" in header for header in headers):
        raise FileRefused("the file is no text: its first line has NUL characters; it must be CSV in UTF-8")
    used = sum(len(line) for line in lines[: reader.line_num])
    return headers, min(start + used, len(block))
