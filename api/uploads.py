"""Uploaded files: copied into a private folder, named by us, within the size limit.

The server hands a body on only when all of it has arrived (see ``api.server``).
"""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from flask import g, request
from werkzeug.formparser import FormDataParser

from api.problems import Problem
from pipeline.jobs.rows import Job
from pipeline.settings import Settings
from pipeline.warehouse.place import private_folder

# JSON is no upload: it is what a caller sends by mistake, and what a foreign page may not send.
RAW_TYPES = (
    "text/csv",
    "application/x-ndjson",
    "application/gzip",
    "application/zstd",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/octet-stream",
)
MULTIPART = "multipart/form-data"
_MAX_FILES = 100
# The parser holds a line in memory: twice the longest row that landing takes.
_MAX_HELD_BYTES = 2 * 1024 * 1024
_NAME_CHARACTERS = 200
_UNUSABLE = frozenset('<>:"/\\|?*`')


@dataclass(frozen=True)
class UploadedFile:
    """One file; ``name`` is what its sender calls it, and no part of its path."""

    path: Path
    name: str
    size_bytes: int
    sha256: str


@dataclass
class Upload:
    """The files of one request, in a folder that has the name of the job to be; ``fields`` came with them."""

    job_id: UUID
    folder: Path
    files: list[UploadedFile] = field(default_factory=list)
    fields: Mapping[str, str] = field(default_factory=dict)

    def remove(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_file(self) -> IO[bytes]:
        """A new empty file in the folder."""
        path = self.folder / f"{len(list(self.folder.iterdir())) + 1}.csv"
        return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")

    def add(self, name: str | None) -> None:
        """Take in the folder's next file, now complete."""
        path = self.folder / f"{len(self.files) + 1}.csv"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if path.stat().st_size == 0:
            raise Problem("invalid_body", "A file of this upload is empty.")
        self.files.append(UploadedFile(path, label(name), path.stat().st_size, digest))


def receive(settings: Settings, file_name: str | None, fields: Collection[str] = ()) -> Upload:
    """The files of this request's body, multipart or raw (then called ``file_name``).

    A form may have the ``fields`` of these names beside its files.

    Whatever goes wrong, nothing of them stays.

    Raises:
        Problem: the body is no upload, or cannot be stored.
        RequestEntityTooLarge: it is larger than the settings allow.
    """
    if request.mimetype != MULTIPART and request.mimetype not in RAW_TYPES:
        types = ", ".join((MULTIPART, *RAW_TYPES))
        raise Problem("unsupported_media_type", f"Send files as {types}.", headers={"Accept-Post": types})
    request.max_content_length = settings.upload_limit_mb * 1024 * 1024
    job_id = uuid4()
    upload = Upload(job_id, settings.uploads_folder / str(job_id))
    with _removed_on_error(upload):
        private_folder(upload.folder)
        if request.mimetype == MULTIPART:
            _read_multipart(upload, file_name, fields)
        else:
            with upload.new_file() as file:
                shutil.copyfileobj(request.stream, file)
            upload.add(file_name)
    return upload


def taken_over(settings: Settings, job: Job) -> Upload:
    """The files of another job's upload as those of a job to be; the other keeps them, too.

    Raises:
        Problem: they are gone, or cannot be stored.
    """
    there, new_id = settings.uploads_folder / str(job["job_id"]), uuid4()
    upload = Upload(new_id, settings.uploads_folder / str(new_id))
    with _removed_on_error(upload):
        private_folder(upload.folder)
        for number, file in enumerate(job["request"]["files"], start=1):
            path = upload.folder / f"{number}.csv"
            try:
                os.link(there / path.name, path)
            except FileNotFoundError as error:
                raise Problem(
                    "not_found", f"The files of {job['job_id']} are not kept any more: upload them again."
                ) from error
            upload.files.append(UploadedFile(path, **file))
    return upload


def label(name: str | None) -> str:
    """A client's name for a file, without folders and without what some system's file names cannot have."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(
        "_" if character in _UNUSABLE else character for character in last if character.isprintable()
    )
    return plain.strip(" .")[:_NAME_CHARACTERS] or "upload.csv"


def _read_multipart(upload: Upload, file_name: str | None, fields: Collection[str]) -> None:
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
    # A form that cannot be taken is shown again as it was filled in.
    g.form_fields = form.to_dict()
    if set(form) - set(fields) or set(files) != {"file"}:
        raise Problem(
            "invalid_body",
            "Send one or several parts named file, each with a filename, and nothing else; options go into "
            "the query.",
        )
    upload.fields = g.form_fields
    for file in files.getlist("file"):
        upload.add(file.filename)


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
