"""Uploaded files: streamed into a private folder, named by us, within the size limit."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Any
from uuid import UUID, uuid4

from flask import request
from werkzeug.formparser import FormDataParser

from api.problems import Problem
from pipeline.settings import Settings
from pipeline.warehouse.place import private_folder

RAW_TYPES = ("text/csv", "application/gzip", "application/octet-stream")
MULTIPART = "multipart/form-data"
# Half of the service's threads: questions are answered beside slow uploads.
UPLOADS_AT_ONCE = 2
_MAX_FILES = 100
# The parser holds a line in memory: twice the longest row that landing takes.
_MAX_HELD_BYTES = 2 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
_NAME_CHARACTERS = 200
_UNUSABLE = frozenset('<>:"/\\|?*`')

_slots = BoundedSemaphore(UPLOADS_AT_ONCE)


@dataclass(frozen=True)
class UploadedFile:
    """One file; ``name`` is what its sender calls it, and no part of its path."""

    path: Path
    name: str
    size_bytes: int
    sha256: str


@dataclass
class Upload:
    """The files of one request, in a folder that has the name of the job to be."""

    job_id: UUID
    folder: Path
    files: list[UploadedFile] = field(default_factory=list)

    def remove(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_file(self) -> IO[bytes]:
        """A new empty file in the folder."""
        number = len(list(self.folder.iterdir())) + 1
        path = self.folder / f"{number}.csv"
        return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")

    def add(self, number: int, name: str | None) -> None:
        """Take in the folder's n-th file (from 1), now complete."""
        path = self.folder / f"{number}.csv"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.files.append(UploadedFile(path, label(name), path.stat().st_size, digest))


def receive(settings: Settings, file_name: str | None) -> Upload:
    """The files of this request's body, multipart or raw (then called ``file_name``).

    Whatever goes wrong, nothing of them stays.

    Raises:
        Problem: the body is no upload, is cut short, or cannot be taken now.
        RequestEntityTooLarge: it is larger than the settings allow.
    """
    if request.mimetype != MULTIPART and request.mimetype not in RAW_TYPES:
        types = ", ".join((MULTIPART, *RAW_TYPES))
        raise Problem(
            "unsupported_media_type", f"Send files as {types}.", headers={"Accept-Post": types}
        )  # fmt: skip
    request.max_content_length = settings.upload_limit_mb * 1024 * 1024
    job_id = uuid4()
    upload = Upload(job_id, settings.uploads_folder / str(job_id))
    with _slot(), _removed_on_error(upload):
        private_folder(upload.folder)
        if request.mimetype == MULTIPART:
            _read_multipart(upload, file_name)
        else:
            _read_raw(upload, file_name)
        if any(file.size_bytes == 0 for file in upload.files):
            raise Problem("invalid_body", "A file of this upload is empty.")
    return upload


def label(name: str | None) -> str:
    """A client's name for a file, without folders and without what some system's file names cannot have."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(
        "_" if character in _UNUSABLE else character for character in last if character.isprintable()
    )
    return plain.strip(" .")[:_NAME_CHARACTERS] or "upload.csv"


def _read_raw(upload: Upload, file_name: str | None) -> None:
    # Without a length, a body that was cut short cannot be told from a whole one.
    if request.content_length is None:
        raise Problem(
            "length_required", "A raw upload needs a Content-Length; or send it as multipart/form-data."
        )
    with upload.new_file() as file:
        while piece := request.stream.read(_PIECE_BYTES):
            file.write(piece)
        received = file.tell()
    if received != request.content_length:
        raise Problem(
            "invalid_body", f"The body was cut short: {received} of {request.content_length} bytes arrived."
        )
    upload.add(1, file_name)


def _read_multipart(upload: Upload, file_name: str | None) -> None:
    if file_name is not None:
        raise Problem("invalid_value", "filename: goes with a raw body; the parts of a form have their own.")
    with ExitStack() as stack:

        def stream_factory(*_: Any, **__: Any) -> IO[bytes]:
            return stack.enter_context(upload.new_file())

        parser = FormDataParser(
            stream_factory,
            max_form_memory_size=_MAX_HELD_BYTES,
            max_form_parts=_MAX_FILES,
            silent=False,
        )
        try:
            _, form, files = parser.parse(
                request.stream, MULTIPART, request.content_length, request.mimetype_params
            )
        except ValueError as error:
            raise Problem("invalid_body", f"The form cannot be read: {error}.") from error
    unknown = [name for name in (*form, *files) if name != "file"]
    if unknown or form or not files:
        raise Problem(
            "invalid_body",
            "Send one or several parts named file, each with a filename, and nothing else; options go into "
            "the query.",
        )
    for number, file in enumerate(files.getlist("file"), start=1):
        upload.add(number, file.filename)


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(blocking=False):
        raise Problem("busy", "Other uploads are under way; send it again in a few seconds.")
    try:
        yield
    finally:
        _slots.release()


@contextmanager
def _removed_on_error(upload: Upload) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        upload.remove()
        raise Problem(
            "uploads_unavailable", f"The upload cannot be stored ({error.strerror or error})."
        ) from error
    except BaseException:
        upload.remove()
        raise
