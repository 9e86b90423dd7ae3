"""Files in S3-compatible buckets."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from pipeline.fetching.errors import FetchError
from pipeline.fetching.spool import Spool

_BEGINNING = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PIECE = 4 * 1024 * 1024
_CONNECT_SECONDS = 10
_REQUEST_SECONDS = 30


def is_bucket_address(text: str) -> bool:
    """Whether it is meant as an address in a bucket."""
    return text.lower().startswith(_BEGINNING)


class Buckets:
    """The buckets that an endpoint serves, with the credentials of the usual AWS variables."""

    def __init__(self, endpoint: str | None) -> None:
        """Get ready to ask AWS, or the server at ``endpoint`` (an http or https address)."""
        # It takes a moment to load, and few calls need it.
        from pyarrow.fs import S3FileSystem

        options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "request_timeout": _REQUEST_SECONDS}
        if endpoint is not None:
            parts = urlsplit(endpoint)
            options |= {"endpoint_override": parts.netloc, "scheme": parts.scheme}
        self._files = S3FileSystem(**options)

    def keys(self, address: str) -> list[str]:
        """The objects that an address names, as ``bucket/key``: one, or those that fit its pattern, sorted.

        A star stands for any part of a name between two slashes.

        Raises:
            FetchError: it is no address, names nothing, or the server does not let us see.
        """
        path = _path(address)
        from pyarrow.fs import FileSelector, FileType

        with _problems(address):
            if self._files.get_file_info(path).type == FileType.File:
                return [path]
            if not re.search(r"[*?\[]", path):
                raise FetchError(f"{address}: there is no such object (for those of a folder, end with /*)")
            fixed = re.split(r"[*?\[]", path)[0].rpartition("/")[0]
            is_deep = "/" in path.removeprefix(fixed + "/")
            found = self._files.get_file_info(FileSelector(fixed, allow_not_found=True, recursive=is_deep))
            keys = sorted(
                info.path for info in found if info.type == FileType.File and _fits(info.path, path)
            )
        if not keys:
            raise FetchError(f"{address}: no object fits")
        return keys

    def fetch(self, key: str, spool: Spool) -> None:
        """Write an object into the spool.

        Raises:
            FetchError: it cannot be read, is too large, or takes too long.
        """
        name = _BEGINNING + key
        deadline = time.monotonic() + spool.seconds
        with _problems(name):
            spool.require_room(self._files.get_file_info(key).size or 0, name)
            with self._files.open_input_stream(key) as stream:
                while piece := stream.read(_PIECE):
                    spool.write(piece, name)
                    if time.monotonic() > deadline:
                        raise spool.too_slow(name)


def _path(address: str) -> str:
    bucket, _, key = address[len(_BEGINNING) :].partition("/")
    if not _BUCKET.fullmatch(bucket) or not key:
        raise FetchError(
            "an address in a bucket is written s3://bucket/key; credentials are taken from AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY"
        )
    return f"{bucket}/{key}"


def _fits(path: str, pattern: str) -> bool:
    names, patterns = path.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


@contextmanager
def _problems(name: str) -> Iterator[None]:
    """Tell a problem by the server's code for it: the library's text is long, and of its own inner life."""
    try:
        yield
    except (OSError, ValueError) as error:
        code = re.search(r"AWS Error ([A-Z_]+)", str(error))
        what = code[1].replace("_", " ").lower() if code else type(error).__name__
        raise FetchError(
            f"{name}: cannot be read ({what}); check TILLHOUSE_S3_ENDPOINT, AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_REGION"
        ) from None
