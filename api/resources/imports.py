"""Imports: upload files, follow what becomes of them, fetch what was rejected."""

from contextlib import ExitStack
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import MaxLen
from apiflask import APIBlueprint
from flask import Response
from pydantic import AfterValidator, Field

from api import jobs, uploads
from api.access import requires
from api.answering import streamed
from api.documented import answers_with
from api.documented_jobs import gives_file, starts_job
from api.parameters import Page, Parameters, Text
from api.problems import Problem
from api.resources import job_answers
from api.resources.job_answers import CANCELING, LISTING, STARTING, JobModel, JobPage
from api.responses import json_response
from api.services import services
from pipeline.answers import envelope
from pipeline.answers.errors import QueryError
from pipeline.answers.exporting import columns_of, csv_pieces
from pipeline.answers.models import Counts, Model, PageInfo
from pipeline.answers.rejects import checked_rejects, landed_rejects
from pipeline.answers.streaming import Streamed
from pipeline.jobs.rows import Job, Kind

blueprint = APIBlueprint("imports", __name__, url_prefix="/api/v1/imports", tag="Imports")

_KINDS: tuple[Kind, ...] = ("import", "check")
FileStatus = Literal["landed", "skipped", "refused", "failed", "checked"]
Feed = Literal["order_lines", "unit_costs", "refunds", "stores", "products", "customers"]


def _source_name(name: str) -> str:
    # As landing has it: the name is that of a folder, too.
    if not name.isprintable() or name != name.strip() or set(name) & set("/\\") or name.startswith("."):
        raise ValueError("no slashes, no blanks at its ends, no dot at its start, printable characters only")
    return name


SourceName = Annotated[Text, MaxLen(63), AfterValidator(_source_name)]


class ImportQuery(Parameters):
    """How the files are to be loaded."""

    source: SourceName = Field("default", description="The shop or till that the files come from.")
    feed: Feed | None = Field(
        None,
        description="What kind of record the files have. Default as the source says, else order_lines.",
    )
    mode: Literal["append", "overwrite"] | None = Field(
        None,
        description="append: add and correct lines. overwrite: the files together are the whole truth. "
        "Default as the source says, else append.",
    )
    duplicate_rows: Literal["quarantine", "keep"] | None = Field(
        None,
        description="What becomes of rows that equal another row of their file in every column. "
        "Default as the source says, else quarantine.",
    )
    force: bool = Field(False, description="Let an overwrite delete more than a fifth of the source's lines.")
    dry_run: bool = Field(False, description="Read and check with the very same code, and load nothing.")
    filename: Text | None = Field(None, description="What the file of a raw body is called.")


class ImportedFile(Model):
    """One file and what became of it; while it has no status, it waits."""

    name: str
    size_bytes: int
    sha256: str
    status: FileStatus | None
    batch_id: int | None = Field(description="The delivery on record; null for a dry run.")
    rows_read: int | None
    rows_accepted: int | None
    rows_quarantined: int | None
    reasons: Counts | None = Field(description="Rejected rows by their first reason.")
    message: str | None


class Import(JobModel):
    """An import: it succeeds when every file is in the published numbers, a dry run when all were checked."""

    dry_run: bool
    source: str
    feed: str | None = Field(description="Null: as the source says.")
    mode: str | None = Field(description="Null: as the source says.")
    duplicate_rows: str | None = Field(description="Null: as the source says.")
    force: bool
    files: list[ImportedFile]
    batch_ids: list[int]
    build_id: int | None = Field(description="The build it published; null while there is none.")


class ImportOne(Model):
    """One import."""

    data: Import


class ImportList(Model):
    """Imports, newest first."""

    data: list[Import]
    page: PageInfo


class Reject(Model):
    """A row that was not accepted."""

    file_number: int = Field(description="Its file's place in the import, from 1.")
    file_name: str
    row_number: int = Field(description="The line of the file on which it starts.")
    reasons: list[str] = Field(description="Everything that is wrong with it.")
    raw_text: str = Field(description="The row as it is in the file.")


class RejectPage(Page):
    """Where in the rejects, or all of them as a file."""

    format: Literal["json", "csv"] = Field("json", description="`csv` is one file of all rows.")


class RejectList(Model):
    """Rejected rows in the order of the files."""

    data: list[Reject]
    page: PageInfo


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
        },
        "additionalProperties": False,
    }
}
BODY = {uploads.MULTIPART: _FORM, **dict.fromkeys(uploads.RAW_TYPES, _BINARY)}


@blueprint.post("")
@blueprint.input(ImportQuery, location="query")
@answers_with(
    blueprint, ImportOne, "invalid_value", "invalid_body", "unsupported_media_type", "uploads_unavailable",
    *STARTING, status=202,
)  # fmt: skip
@starts_job(blueprint, takes=BODY)
@requires("data:write", regional=False)
def post_import(query_data: ImportQuery) -> Response:
    """Upload files of order lines or of another feed, and load them.

    As a form with parts named `file`, or one file as the raw body, packed or not. With `dry_run`
    the files are checked as they would be when loaded, and nothing is.
    """
    key = job_answers.idempotency_key()
    upload = uploads.receive(services().settings, query_data.filename)
    job, is_replayed = start(query_data, upload, key)
    return job_answers.answer(_written(job), status=202, is_replayed=is_replayed)


@blueprint.get("")
@blueprint.input(JobPage, location="query")
@answers_with(blueprint, ImportList, *LISTING)
@requires("data:write", regional=False)
def get_imports(query_data: JobPage) -> Response:
    """The imports and dry runs, newest first."""
    return job_answers.listed(_KINDS, query_data, _written)


@blueprint.get("/<uuid:import_id>")
@answers_with(blueprint, ImportOne, "database_unavailable")
@requires("data:write", regional=False)
def get_import(import_id: UUID) -> Response:
    """One import as it is now."""
    job = jobs.follow(_KINDS, import_id)
    return job_answers.answer(_written(job))


@blueprint.delete("/<uuid:import_id>")
@answers_with(blueprint, ImportOne, *CANCELING, status=202)
@requires("data:write", regional=False)
def delete_import(import_id: UUID) -> Response:
    """Cancel an import. What has landed by then is built by the next refresh."""
    job = jobs.cancel(_KINDS, import_id)
    return job_answers.answer(_written(job), status=202)


@blueprint.post("/<uuid:import_id>/load")
@answers_with(blueprint, ImportOne, "not_checked", *STARTING, status=202)
@starts_job(blueprint)
@requires("data:write", regional=False)
def post_import_load(import_id: UUID) -> Response:
    """Load the files that a dry run has checked, in the way that it was asked for; for a day."""
    checked = jobs.find(_KINDS, import_id)
    if checked["kind"] != "check" or checked["status"] != "succeeded":
        raise Problem("not_checked", f"{import_id} is no dry run that has ended well.")
    key = job_answers.idempotency_key()
    upload = uploads.taken_over(services().settings, checked)
    options = {name: value for name, value in checked["request"].items() if name in ImportQuery.model_fields}
    job, is_replayed = start(ImportQuery(**options), upload, key)
    return job_answers.answer(_written(job), status=202, is_replayed=is_replayed)


@blueprint.get("/<uuid:import_id>/rejects")
@blueprint.input(RejectPage, location="query")
@answers_with(blueprint, RejectList, *LISTING, "query_timeout")
@gives_file(blueprint, ["text/csv"], beside_json=True)
@requires("data:write", regional=False)
def get_import_rejects(import_id: UUID, query_data: RejectPage) -> Response:
    """The rows that were not accepted, as they are in the files, with everything that is wrong with them.

    Of a file that was refused whole, the first 1,000; of a dry run all, for a week. `format=csv` gives
    all of them as one file.
    """
    job = jobs.find(_KINDS, import_id)
    if query_data.format == "csv":
        require_whole(query_data)
        with ExitStack() as stack:
            pieces = csv_pieces(columns_of(Reject), _rejects(stack, job, (0, 0), None))
            return streamed(pieces, "csv", stack.pop_all())
    cursor = query_data.cursor
    after = (0, 0) if cursor is None else envelope.read_cursor(cursor, int, int)
    with ExitStack() as stack:
        found = list(_rejects(stack, job, after, query_data.limit + 1))
    rows, next_cursor = found[: query_data.limit], None
    if len(found) > query_data.limit:
        next_cursor = envelope.make_cursor(rows[-1]["file_number"], rows[-1]["row_number"])
    return json_response({"data": rows, "page": envelope.page(next_cursor)})


def require_whole(asked: RejectPage) -> None:
    """Make sure that a file is asked for as a whole.

    Raises:
        QueryError: only a part is.
    """
    for name in [name for name in ("limit", "cursor") if name in asked.model_fields_set]:
        raise QueryError("invalid_value", f"{name}: goes with JSON alone: a file is complete.", name)


def _rejects(until: ExitStack, job: Job, after: tuple[int, ...], limit: int | None) -> Streamed:
    names = [file["name"] for file in job["request"]["files"]]
    place = (after[0], after[1])
    if job["kind"] == "check":
        connection = until.enter_context(services().database.writing())
        return checked_rejects(connection, job["job_id"], names, place, limit)
    reader = until.enter_context(services().database.snapshot())
    return landed_rejects(reader, _batch_ids(job), names, place, limit)


def start(asked: ImportQuery, upload: uploads.Upload, key: str | None) -> tuple[Job, bool]:
    """The job that loads or checks these files, and whether an earlier request with this key got it."""
    options = asked.model_dump(exclude={"dry_run", "filename"})
    files = [
        {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256} for file in upload.files
    ]
    kind: Kind = "check" if asked.dry_run else "import"
    new = job_answers.new_job(kind, options | {"files": files}, job_id=upload.job_id)
    config = options | {
        "files": [str(file.path) for file in upload.files],
        "file_names": [file.name for file in upload.files],
    }
    if asked.dry_run:
        config.pop("force")
        run = ("check_import", {"ops": {"check_files": {"config": config}}})
    else:
        config["requested_by"] = new.requested_by
        run = ("refresh", {"resources": {"refresh_request": {"config": config}}})
    launch = jobs.Launch(*run, put_away=upload.remove)
    return jobs.start(new, launch, key)


def _written(job: Job) -> dict[str, Any]:
    found = job_answers.written(job, "/api/v1/imports", "import_failed")
    asked = job["request"]
    found["links"]["rejects"] = f"{found['links']['self']}/rejects"
    return found | {
        "dry_run": job["kind"] == "check",
        **{name: asked[name] for name in ("source", "mode", "duplicate_rows", "force")},
        # Imports from before there were feeds do not name one.
        "feed": asked.get("feed"),
        "files": _files(job),
        "batch_ids": _batch_ids(job),
        "build_id": job["build_id"],
    }


def _files(job: Job) -> list[dict[str, Any]]:
    outcomes = job["result"].get("files", ())
    nothing = dict.fromkeys(ImportedFile.model_fields)
    return [
        nothing | file | (outcomes[number] if number < len(outcomes) else {})
        for number, file in enumerate(job["request"]["files"])
    ]


def _batch_ids(job: Job) -> list[int]:
    return [file["batch_id"] for file in _files(job) if file["batch_id"] is not None]
