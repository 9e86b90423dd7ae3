"""From what a user names to files on this machine."""

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.fetching.bucket import Buckets, is_bucket_address
from pipeline.fetching.errors import FetchError
from pipeline.fetching.spool import Spool, spool_folder
from pipeline.fetching.web import WebPolicy, fetch_web, is_web_address, parsed, shown
from pipeline.settings import Settings


@dataclass(frozen=True)
class NamedFile:
    """A file to read, and what it is called on record: its name, or the address without credentials."""

    path: Path
    name: str


@dataclass(frozen=True)
class _Remote:
    """A file to be fetched, and what fetches it."""

    name: str
    fetch: Callable[[Spool], None]


@contextmanager
def fetched(
    named: Sequence[str], settings: Settings, tell: Callable[[str], None]
) -> Iterator[tuple[NamedFile, ...]]:
    """The files that paths, patterns and addresses name, in their order; a pattern's are sorted.

    Those that are elsewhere are fetched, all of them before any is used, and removed afterwards. ``tell``
    hears what is being fetched.

    Raises:
        FetchError: something names no file, or cannot be fetched.
    """
    found = [file for text in named for file in _files(text, settings)]
    if all(isinstance(file, NamedFile) for file in found):
        yield tuple(file for file in found if isinstance(file, NamedFile))
        return
    with spool_folder(settings.home) as folder:
        files = []
        for number, file in enumerate(found, start=1):
            if isinstance(file, _Remote):
                path = folder / str(number)
                tell(f"Fetching {file.name}")
                with Spool(path, settings.fetch_limit_mb, settings.fetch_seconds) as spool:
                    file.fetch(spool)
                files.append(NamedFile(path, file.name))
            else:
                files.append(file)
        yield tuple(files)


def _files(text: str, settings: Settings) -> list[NamedFile | _Remote]:
    if is_web_address(text):
        address = parsed(text)
        policy = WebPolicy(settings.fetch_hosts, settings.fetch_private)
        return [_Remote(shown(address), partial(fetch_web, address, policy=policy))]
    if is_bucket_address(text):
        buckets = Buckets(settings.s3_endpoint)
        return [_Remote(_printable(f"s3://{key}"), partial(buckets.fetch, key)) for key in buckets.keys(text)]
    return [NamedFile(path, path.name) for path in _paths(text)]


def _printable(name: str) -> str:
    """A key may have any character; a name on record has only those that can be shown."""
    return "".join(character if character.isprintable() else "�" for character in name)


def _paths(text: str) -> list[Path]:
    """The files that a path or a pattern names."""
    path = Path(text).expanduser().absolute()
    if path.is_dir():
        raise FetchError(f"{text}: is a folder; name the files in it, as in '{text.rstrip('/')}/*.csv'")
    if path.exists():
        return [path]
    if not glob.has_magic(text):
        raise FetchError(f"{text}: there is no such file")
    found = sorted(Path(match) for match in glob.glob(str(path), recursive=True))
    files = [match for match in found if match.is_file()]
    if not files:
        raise FetchError(f"{text}: no file fits")
    return files
