"""The files that landed, as they were delivered: compressed, and named by their sha256."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from pipeline.landing.batches import DeliveredFile
from pipeline.landing.errors import LandingError
from pipeline.warehouse.place import private_folder

_PIECE_BYTES = 1024 * 1024


def keep_original(folder: Path | None, file: DeliveredFile) -> None:
    """Keep a delivered file, unless it is kept already (or nothing is).

    Raises:
        LandingError: it is not the file any more that was delivered, or cannot be kept.
    """
    if folder is None or _place(folder, file.sha256).exists():
        return
    place = _place(folder, file.sha256)
    private_folder(folder)
    private_folder(place.parent)
    draft_handle, draft = tempfile.mkstemp(dir=place.parent, suffix=".part")
    os.close(draft_handle)
    try:
        digest = hashlib.sha256()
        with file.path.open("rb") as read, pa.CompressedOutputStream(pa.OSFile(draft, "wb"), "zstd") as write:
            while piece := read.read(_PIECE_BYTES):
                digest.update(piece)
                write.write(piece)
        if digest.hexdigest() != file.sha256:
            raise LandingError(
                f"{file.name}: the file changed while it was read; load it again once it is complete"
            )
        with Path(draft).open("rb") as written:
            os.fsync(written.fileno())
        Path(draft).replace(place)
    except OSError as error:
        raise LandingError(f"{file.name}: cannot be kept in {folder} ({error.strerror or error})") from error
    finally:
        Path(draft).unlink(missing_ok=True)


def is_kept(folder: Path, sha256: str | None) -> bool:
    """Whether a file with this hash is there."""
    return sha256 is not None and _place(folder, sha256).exists()


@contextmanager
def original(folder: Path, sha256: str | None) -> Iterator[Path]:
    """A kept file as it was delivered, for the time of the block.

    Raises:
        LandingError: it is not kept (any more), or is damaged.
    """
    if sha256 is None or not is_kept(folder, sha256):
        raise LandingError(
            "its file is not kept any more (TILLHOUSE_ORIGINALS_DAYS says how long): correct the rejected "
            "rows themselves, or load the file again"
        )
    place = _place(folder, sha256)
    with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".part") as unpacked:
        digest = hashlib.sha256()
        try:
            with pa.CompressedInputStream(pa.OSFile(str(place)), "zstd") as read:
                while piece := read.read(_PIECE_BYTES):
                    digest.update(piece)
                    unpacked.write(piece)
            unpacked.flush()
        except OSError as error:
            raise LandingError(f"its kept file {place} cannot be read ({error})") from error
        if digest.hexdigest() != sha256:
            raise LandingError(f"its kept file {place} is damaged: remove it, and load the file again")
        yield Path(unpacked.name)


def kept_files(folder: Path) -> Iterator[Path]:
    """Everything that is in the folder, drafts of a crash among it; a file's stem is its sha256."""
    if folder.is_dir():
        yield from (path for path in folder.glob("??/*") if path.is_file())


def _place(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / f"{sha256}.zst"
