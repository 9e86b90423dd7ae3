"""A file as blocks of whole lines in UTF-8, plain or gzipped, in bounded memory."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.landing.decoding import DecodedStream, Encoding, Readable, find_encoding
from pipeline.landing.errors import FileRefused, LandingError

BLOCK_BYTES = 12 * 1024 * 1024
# The longest row. A longer line is cut here: memory must not depend on the file.
ROW_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
# How files begin that people take for CSV, and what to do about it.
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a spreadsheet or zip archive; save it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet; save it as CSV (UTF-8)"),
    (b"%PDF", "a PDF; export the data as CSV (UTF-8)"),
    (b"PAR1", "a Parquet file; only CSV can be read"),
)

FileIdentity = tuple[int, int, int]


def identity_of(status: os.stat_result) -> FileIdentity:
    """What changes when a file is replaced or written to: inode, size, time of change in nanoseconds."""
    return status.st_ino, status.st_size, status.st_mtime_ns


class BlockReader:
    """Yields ``(block, is_last)``: bytes that end with a line feed, except perhaps the last.

    ``bytes_read`` (up to the end of the latest block) and ``bytes_total`` count the file as it
    lies on disk.
    """

    def __init__(
        self, path: Path, block_bytes: int = BLOCK_BYTES, declared_encoding: str | None = None
    ) -> None:
        """Open the file.

        Raises:
            LandingError: it is not there or may not be read.
            FileRefused: it is no text, or its encoding cannot be told.
        """
        self.path = path
        self.bytes_read = 0
        self._block_bytes = block_bytes
        try:
            self._raw: BinaryIO = path.open("rb")
            self.bytes_total = path.stat().st_size
        except OSError as error:
            raise LandingError(f"{path}: cannot be read ({error.strerror})") from error
        try:
            with _damage_refused():
                _refuse_other_formats(self._unpacked().read(8))
                self.encoding: Encoding = find_encoding(self._unpacked(), declared_encoding)
            self._stream: Readable = self._unpacked()
        except BaseException:
            self._raw.close()
            raise
        if not self.encoding.is_plain:
            self._stream = DecodedStream(self._stream, self.encoding)

    @property
    def identity(self) -> FileIdentity:
        """The open file as it is now."""
        return identity_of(os.fstat(self._raw.fileno()))

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def _unpacked(self) -> BinaryIO:
        """The file from its beginning."""
        self._raw.seek(0)
        is_gzip = self._raw.read(2) == _GZIP_MAGIC
        self._raw.seek(0)
        return cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if is_gzip else self._raw

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
        with _damage_refused():
            return self._stream.read(self._block_bytes)


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileRefused(f"the gzip data is damaged or cut short ({error}); send the file again") from error
    except OSError as error:
        raise FileRefused(f"the file cannot be read ({error})") from error


def _refuse_other_formats(head: bytes) -> None:
    for beginning, advice in _OTHER_FORMATS:
        if head.startswith(beginning):
            raise FileRefused(f"the file is no CSV text: it looks like {advice}")
