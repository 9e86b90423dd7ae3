"""What a file's bytes are packed in (gzip, zstandard, zip), and their unpacking in bounded memory."""

import gzip
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.landing.errors import FileRefused

GZIP_MAGIC = b"\x1f\x8b"
ZSTANDARD_MAGIC = b"\x28\xb5\x2f\xfd"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What a file may unpack to: beyond both of these it is taken for a bomb.
UNPACKED_TIMES = 200
UNPACKED_BYTES = 1024 * 1024 * 1024
MEMBERS = 1_000
_ENCRYPTED = 0x1
# Other methods cannot be unpacked in pieces of bounded size.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What reading damaged bytes ends with.
DAMAGES = (
    EOFError,
    OSError,
    ValueError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
)


def unpacked_limit(packed_bytes: int) -> int:
    """How many bytes a packed file of this size may unpack to."""
    return max(UNPACKED_BYTES, UNPACKED_TIMES * packed_bytes)


class Unpacked:
    """A packed file's content as a stream of bytes, up to the limit for its size."""

    def __init__(self, raw: BinaryIO, packed_bytes: int, member: str | None = None) -> None:
        """Unpack what ``raw`` stands at the start of; of a zip archive the ``member``.

        Raises:
            FileRefused: the packing is damaged.
        """
        self._bytes_left = unpacked_limit(packed_bytes)
        self._packed_bytes = packed_bytes
        head = raw.read(4)
        raw.seek(0)
        self.packing, self._stream = _opened(raw, head, member)

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end.

        Raises:
            FileRefused: the packing is damaged, or unpacks to more than the limit.
        """
        try:
            piece = self._stream.read(size)
        except DAMAGES as error:
            if self.packing is None:
                raise FileRefused(f"the file cannot be read ({error})") from error
            raise FileRefused(
                f"the {self.packing} data is damaged or cut short ({error}); send the file again"
            ) from error
        self._bytes_left -= len(piece)
        if self.packing is not None and self._bytes_left < 0:
            raise _bomb(self._packed_bytes)
        return piece

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def members_of(path: Path) -> list[zipfile.ZipInfo]:
    """The members of a zip archive that hold data, in the order of their names.

    Folders, hidden members and what macOS adds are passed over.

    Raises:
        FileRefused: the archive is damaged, encrypted, empty, or would unpack to too much.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except DAMAGES as error:
        raise FileRefused(
            f"the zip archive is damaged or cut short ({error}); send the file again"
        ) from error
    members = sorted((member for member in found if _holds_data(member)), key=lambda member: member.filename)
    if not members:
        raise FileRefused("the zip archive is empty: it must hold one file of order lines, or several alike")
    if len(members) > MEMBERS:
        raise FileRefused(f"the zip archive has {len(members):,} members; at most {MEMBERS:,} can be read")
    for member in members:
        _require_readable(member)
    if len({member.filename for member in members}) < len(members):
        raise FileRefused("the zip archive has two members of one name; pack it again")
    packed_bytes = path.stat().st_size
    if sum(member.file_size for member in members) > unpacked_limit(packed_bytes):
        raise _bomb(packed_bytes)
    return members


def _opened(raw: BinaryIO, head: bytes, member: str | None) -> tuple[str | None, BinaryIO]:
    if member is not None:
        try:
            return "zip", cast(BinaryIO, zipfile.ZipFile(raw).open(member))
        except (*DAMAGES, KeyError) as error:
            raise FileRefused(
                f"the zip archive's member {member!r} cannot be read ({error}); send the file again"
            ) from error
    if head.startswith(GZIP_MAGIC):
        return "gzip", cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if head == ZSTANDARD_MAGIC:
        # It takes a moment to load, and few files need it.
        import pyarrow as pa

        return "zstandard", cast(BinaryIO, pa.CompressedInputStream(raw, "zstd"))
    return None, raw


def _holds_data(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.split("/")
    return not (
        member.is_dir() or "__MACOSX" in parts or any(part.startswith(".") for part in parts if part != "..")
    )


def _require_readable(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise FileRefused(
            f"the zip archive's member {member.filename!r} is encrypted; pack it without a password"
        )
    if member.compress_type not in _METHODS:
        raise FileRefused(
            f"the zip archive's member {member.filename!r} is packed by a method that cannot be read; "
            "pack it with the usual one (deflate)"
        )


def _bomb(packed_bytes: int) -> FileRefused:
    return FileRefused(
        f"the file unpacks to more than {unpacked_limit(packed_bytes):,} bytes from {packed_bytes:,}: "
        f"more than {UNPACKED_TIMES} times its size and more than {UNPACKED_BYTES:,} bytes; "
        "send it in parts, or unpacked"
    )
