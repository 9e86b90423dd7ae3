"""A file as blocks of whole lines, packed or not, in bounded memory."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pipeline.landing.decoding import DecodedStream, Encoding, Readable, find_encoding
from pipeline.landing.errors import LandingError
from pipeline.landing.packing import Unpacked

BLOCK_BYTES = 4 * 1024 * 1024
# The longest row. A longer line is cut here: memory must not depend on the file.
ROW_BYTES = 1024 * 1024

FileIdentity = tuple[int, int, int]


def identity_of(status: os.stat_result) -> FileIdentity:
    """What changes when a file is replaced or written to: inode, size, time of change in nanoseconds."""
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=16)
def _encoding_of(path: Path, identity: FileIdentity, member: str | None, declared: str | None) -> Encoding:
    """What a file is written in; kept, for a landing asks twice, and it may take all of the file to tell."""
    try:
        with path.open("rb") as raw:
            return find_encoding(Unpacked(raw, identity[1], member), declared)
    except OSError as error:
        raise LandingError(f"{path}: cannot be read ({error.strerror})") from error


class BlockReader:
    """Yields ``(block, is_last)``: bytes that end with a line feed, except perhaps the last.

    ``bytes_read`` (up to the end of the latest block) and ``bytes_total`` count the file as it
    lies on disk.
    """

    def __init__(self, path: Path, block_bytes: int = BLOCK_BYTES, member: str | None = None) -> None:
        """Open the file; of a zip archive the ``member``.

        Raises:
            LandingError: it is not there or may not be read.
            FileRefused: its packing is damaged.
        """
        self.path = path
        self.bytes_read = 0
        self.block_bytes = block_bytes
        self._member = member
        unpacked = self._opened()
        self.packing = unpacked.packing
        self._stream: Readable = unpacked

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return identity_of(os.fstat(self._raw.fileno()))

    def decode(self, declared: str | None) -> Encoding:
        """Read the file from its beginning again, as text in UTF-8; returns what it was written in.

        Raises:
            FileRefused: it does not begin as was declared.
        """
        encoding = _encoding_of(self.path, self.identity, self._member, declared)
        self.close()
        self._stream = self._opened()
        if not encoding.is_plain:
            self._stream = DecodedStream(self._stream, encoding)
        return encoding

    def head(self, size: int) -> bytes:
        """As many of the first bytes, fewer if there are no more. Not beside iteration."""
        head = b""
        while len(head) < size and (piece := self._stream.read(size - len(head))):
            head += piece
        return head

    def read(self, size: int) -> bytes:
        """The next bytes, whatever lines they are; for formats that have none. Not beside iteration."""
        piece = self._stream.read(size)
        self.bytes_read = self._raw.tell() if piece else self.bytes_total
        return piece

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def _opened(self) -> Unpacked:
        try:
            self._raw: BinaryIO = self.path.open("rb")
            self.bytes_total = self.path.stat().st_size
        except OSError as error:
            raise LandingError(f"{self.path}: cannot be read ({error.strerror})") from error
        try:
            return Unpacked(self._raw, self.bytes_total, self._member)
        except BaseException:
            self._raw.close()
            raise

    def __iter__(self) -> Iterator[tuple[bytes, bool]]:
        pending: bytes | None = None
        position = 0
        for block in self._whole_lines():
            if pending is not None:
                self.bytes_read = position
                yield pending, False
            pending, position = block, self._raw.tell()
        if pending is not None:
            self.bytes_read = self.bytes_total
            yield pending, True

    def _whole_lines(self) -> Iterator[bytes]:
        rest = b""
        while piece := self._stream.read(self.block_bytes):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest[: ROW_BYTES + 1] + piece[:end]
                rest = piece[end:]
            elif len(rest) <= ROW_BYTES:
                rest += piece
        if rest:
            yield rest[: ROW_BYTES + 1]
