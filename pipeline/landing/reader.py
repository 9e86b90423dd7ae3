"""A file's header, and its rows in chunks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from pipeline.landing.blocks import BLOCK_BYTES, ROW_BYTES, BlockReader, FileIdentity
from pipeline.landing.chunks import Chunk, Damage, Shape
from pipeline.landing.columns import ColumnMap
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused
from pipeline.landing.fast_reader import read_fast
from pipeline.landing.header import find_header
from pipeline.landing.slow_reader import read_slowly
from pipeline.landing.table_rows import require_few_columns
from pipeline.sources import SourceSettings

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
)


class OrderLineFile:
    """One CSV of order lines, open for reading; a context manager.

    ``header`` says where the column names are, ``columns`` which of them are ours; ``chunks()``
    yields the rows, once. ``lines_read`` counts the lines once all chunks are read.
    """

    def __init__(
        self,
        path: Path,
        settings: SourceSettings,
        block_bytes: int = BLOCK_BYTES,
        member: str | None = None,
    ) -> None:
        """Open the file (of a zip archive the ``member``) and read its header.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: it is empty, no text, or no line of it names every column that is needed.
        """
        self._blocks = BlockReader(path, block_bytes, member)
        try:
            _refuse_other_formats(self._blocks.head(8))
            self.encoding: Encoding | None = self._blocks.decode(settings.encoding)
            self._source = iter(self._blocks)
            self._first, self._is_last = next(self._source, (b"", True))
            header = find_header(self._first[:ROW_BYTES], settings)
            require_few_columns(header.names)
        except BaseException:
            self._blocks.close()
            raise
        self.header = header
        self._names = header.names
        self.columns: ColumnMap = header.columns
        self._shape = Shape.of(header.columns, header.delimiter, settings.escape)
        self._first_line = 1 + self._first[: header.bytes_used].count(b"\n")
        self.lines_read = self._first_line - 1
        self._first = self._first[header.bytes_used :]

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
        line = self._first_line
        carried = b""
        for block, is_last in self._all_blocks():
            data = carried + block if carried else block
            chunk, carried = read_chunk(data, self._shape, line, is_last)
            line += data.count(b"\n") - carried.count(b"\n")
            self.lines_read = line - data.endswith(b"\n")
            if chunk.text.height:
                yield self._without_repeated_headers(chunk)

    def _without_repeated_headers(self, chunk: Chunk) -> Chunk:
        """Files that were put together from several have the column names in the middle, too."""
        first = self.columns.positions.get("order_id", 0)
        if not (chunk.text[str(first)] == self._names[first]).any():
            return chunk
        same = pl.all_horizontal(pl.col(str(at)) == name for at, name in enumerate(self._names))
        text = chunk.text.with_columns(same.fill_null(value=False).alias("is_header"))
        damage = chunk.damage.copy()
        damage[text["is_header"].to_numpy()] |= int(Damage.REPEATED_HEADER)
        # They are no values, so nothing more is wrong with them.
        blank = (pl.when(~pl.col("is_header")).then(pl.col(name)).alias(name) for name in chunk.text.columns)
        return replace(chunk, text=text.select(blank), damage=damage)

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


def _refuse_other_formats(head: bytes) -> None:
    for beginning, advice in _OTHER_FORMATS:
        if head.startswith(beginning):
            raise FileRefused(f"the file is no CSV text: it looks like {advice}")
