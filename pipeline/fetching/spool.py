"""The private folder that fetched files lie in until they are loaded."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pipeline.fetching.errors import FetchError
from pipeline.warehouse.place import private_folder

# What a process that was killed left behind is removed after so long.
_LEFT_SECONDS = 24 * 3600
_MEGABYTE = 1024 * 1024


@contextmanager
def spool_folder(home: Path) -> Iterator[Path]:
    """A folder of its own, removed afterwards with everything in it.

    Raises:
        FetchError: it cannot be made.
    """
    spools = home / "fetched"
    try:
        private_folder(spools)
        _remove_left(spools)
        folder = Path(tempfile.mkdtemp(dir=spools))
    except OSError as error:
        raise FetchError(f"{spools}: cannot be written to ({error.strerror})") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Spool:
    """One file that is being fetched: up to so many megabytes, in so many seconds."""

    def __init__(self, path: Path, limit_mb: int, seconds: int) -> None:
        self._path, self._limit_mb, self.seconds = path, limit_mb, seconds
        self._bytes = 0
        self._file: BinaryIO

    def __enter__(self) -> "Spool":
        self._file = self._path.open("xb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def require_room(self, size: int, name: str) -> None:
        """Make sure that a file of this size may be fetched.

        Raises:
            FetchError: it is too large.
        """
        if size > self._limit_mb * _MEGABYTE:
            raise FetchError(
                f"{name}: the file is larger than {self._limit_mb} MB "
                "(TILLHOUSE_FETCH_LIMIT_MB sets the limit)"
            )

    def too_slow(self, name: str) -> FetchError:
        """That the time is up."""
        return FetchError(
            f"{name}: not complete after {self.seconds} seconds (TILLHOUSE_FETCH_SECONDS sets the limit)"
        )

    def write(self, piece: bytes, name: str) -> None:
        """Add the next bytes.

        Raises:
            FetchError: they are too many, or cannot be written.
        """
        self._bytes += len(piece)
        self.require_room(self._bytes, name)
        try:
            self._file.write(piece)
        except OSError as error:
            raise FetchError(f"{name}: cannot be kept in {self._path.parent} ({error.strerror})") from error


def _remove_left(spools: Path) -> None:
    before = time.time() - _LEFT_SECONDS
    for folder in spools.iterdir():
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
