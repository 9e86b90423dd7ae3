"""The CSV files of one zip archive, read as one file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import ZipInfo

from pipeline.landing.blocks import BLOCK_BYTES, FileIdentity
from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.decoding import Encoding
from pipeline.landing.errors import FileRefused
from pipeline.landing.header import Header
from pipeline.landing.reader import OrderLineFile
from pipeline.sources import SourceSettings


class OrderLineArchive:
    """CSV members with one and the same header, one after the other; a context manager.

    A row's number counts the lines of all members so far, their headers among them.
    """

    def __init__(
        self,
        path: Path,
        settings: SourceSettings,
        members: Sequence[ZipInfo],
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        """Open the archive and read the first member's header.

        Raises:
            LandingError: it cannot be opened.
            FileRefused: the member cannot be read as order lines.
        """
        self._path, self._settings = path, settings
        self._members = tuple(members)
        self._block_bytes = block_bytes
        self._packed_before = 0
        self._open = OrderLineFile(path, settings, block_bytes, members[0].filename)
        self.columns: ColumnMap = self._open.columns
        self.encoding: Encoding | None = self._open.encoding

    def __enter__(self) -> "OrderLineArchive":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.__exit__()

    @property
    def header(self) -> Header:
        """The column names of the member that is open."""
        return self._open.header

    @property
    def identity(self) -> FileIdentity:
        """The open archive as it is now."""
        return self._open.identity

    @property
    def bytes_total(self) -> int:
        """The archive's size on disk."""
        return self._open.bytes_total

    @property
    def bytes_read(self) -> int:
        """How much of the archive on disk the chunks so far make up."""
        return min(self._packed_before, self._open.bytes_read)

    def chunks(self) -> Iterator[Chunk]:
        """The rows of all members."""
        lines_before = 0
        for member in self._members:
            self._packed_before += member.compress_size
            self._open_member(member.filename)
            for chunk in self._open.chunks():
                yield replace(chunk, row_number=chunk.row_number + lines_before)
            lines_before += self._open.lines_read
        self._packed_before = self.bytes_total

    def _open_member(self, member: str) -> None:
        self._open.__exit__()
        try:
            self._open = OrderLineFile(self._path, self._settings, self._block_bytes, member)
        except FileRefused as error:
            raise FileRefused(f"the zip archive's member {member!r}: {error}") from error
        if self._open.columns != self.columns:
            raise FileRefused(
                f"the zip archive's member {member!r} has other column names than "
                f"{self._members[0].filename!r}; pack only files with the same columns together"
            )
