"""A file as blocks of whole lines, plain or gzipped, in bounded memory."""

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.landing.errors import FileRefused, LandingError

BLOCK_BYTES = 12 * 1024 * 1024
# The longest row. A longer line is cut here: memory must not depend on the file.
ROW_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"

FileIdentity = tuple[int, int, int]


def identity_of(status: os.stat_result) -> FileIdentity:
    """What changes when a file is replaced or written to: inode, size, time of change in nanoseconds."""
    return status.st_ino, status.st_size, status.st_mtime_ns


class BlockReader:
    """Yields ``(block, is_last)``: bytes that end with a line feed, except perhaps the last.

    ``bytes_read`` (up to the end of the latest block) and ``bytes_total`` count the file as it
    lies on disk.
    """

    def __init__(self, path: Path, block_bytes: int = BLOCK_BYTES) -> None:
        """Open the file.

        Raises:
            LandingError: it is not there or may not be read.
        """
        self.path = path
        self.bytes_read = 0
        self._block_bytes = block_bytes
        try:
            self._raw: BinaryIO = path.open("rb")
            self.bytes_total = path.stat().st_size
        except OSError as error:
            raise LandingError(f"{path}: cannot be read ({error.strerror})") from error
        is_gzip = self._raw.read(2) == _GZIP_MAGIC
        self._raw.seek(0)
        self._stream: BinaryIO = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if is_gzip else self._raw

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return identity_of(os.fstat(self._raw.fileno()))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

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
        while piece := self._read():
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest[: ROW_BYTES + 1] + piece[:end]
                rest = piece[end:]
            elif len(rest) <= ROW_BYTES:
                rest += piece
        if rest:
            yield rest[: ROW_BYTES + 1]

    def _read(self) -> bytes:
        try:
            return self._stream.read(self._block_bytes)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileRefused(
                f"the gzip data is damaged or cut short ({error}); send the file again"
            ) from error
        except OSError as error:
            raise FileRefused(f"the file cannot be read ({error})") from error
