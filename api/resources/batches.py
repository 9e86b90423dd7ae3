"""Batches: what was loaded, from where, and what became of its rows; taken back, put back, replayed."""

from contextlib import ExitStack
from datetime import date, datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from api import jobs, uploads
from api.access import requires
from api.answering import streamed
from api.documented import answers_with
from api.documented_jobs import gives_file, starts_job
from api.parameters import Page, Parameters, Text
from api.problems import Problem
from api.resources import job_answers
from api.resources.builds import LARGEST_ID
from api.resources.imports import BODY, RejectPage, require_whole
from api.resources.job_answers import LISTING, STARTING
from api.resources.refreshes import RefreshOne, written
from api.responses import json_response
from api.services import services
from pipeline.answers import envelope
from pipeline.answers.batches import has_batch, list_batches
from pipeline.answers.exporting import columns_of, csv_pieces
from pipeline.answers.models import Counts, Model, PageInfo
from pipeline.answers.rejects import batch_rejects

blueprint = APIBlueprint("batches", __name__, url_prefix="/api/v1/batches", tag="Activity")

Status = Literal["running", "landed", "skipped", "refused", "failed", "voided"]


class BatchModel(Model):
    """One delivery: rows_read = rows_accepted + rows_quarantined."""

    batch_id: int
    call_id: int = Field(description="The files of one call share it.")
    feed: str
    source: str
    mode: str
    status: Status
    file_name: str
    size_bytes: int | None
    sha256: str | None
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_unchanged: int = Field(
        description="Accepted rows of a full delivery that were known as they are, and not stored again."
    )
    reasons: Counts = Field(description="Quarantined rows by their first reason.")
    message: str | None
    first_sale_date: date | None
    last_sale_date: date | None
    requested_by: str
    dagster_run_id: str | None
    build_id: int | None = Field(description="The build that published it; null while none has.")
    started_at: datetime
    finished_at: datetime | None


class BatchList(Model):
    """Batches, newest first."""

    data: list[BatchModel]
    page: PageInfo


class BatchPage(Page):
    """A list of batches."""

    source: Text | None = Field(None, description="Only this source.")
    status: Status | None = Field(None, description="Only batches in this state.")


@blueprint.get("")
@blueprint.input(BatchPage, location="query")
@answers_with(
    blueprint,
    BatchList,
    "invalid_parameter",
    "invalid_value",
    "invalid_cursor",
    "database_unavailable",
    "query_timeout",
)
@requires("analytics:read", regional=False)
def get_batches(query_data: BatchPage) -> Response:
    """What was loaded, newest first."""
    before = envelope.read_key(query_data.cursor)
    with services().database.snapshot() as connection:
        found = list_batches(connection, before, query_data.limit + 1, query_data.source, query_data.status)
    return json_response(envelope.listed(found, query_data.limit, "batch_id"))


class BatchReject(Model):
    """A row that was not accepted."""

    row_number: int = Field(description="The line of the file on which it starts.")
    reasons: list[str] = Field(description="Everything that is wrong with it.")
    raw_text: str = Field(description="The row as it is in the file.")


class BatchRejectPage(RejectPage):
    """Which of a batch's rejects, or all of them as a file."""

    reason: Text | None = Field(None, description="Only rows of which this is wrong.")


class BatchRejectList(Model):
    """Rejected rows in the order of the file."""

    data: list[BatchReject]
    page: PageInfo


@blueprint.get("/<int:batch_id>/rejects")
@blueprint.input(BatchRejectPage, location="query")
@answers_with(blueprint, BatchRejectList, *LISTING, "not_found", "query_timeout")
@gives_file(blueprint, ["text/csv"], beside_json=True)
@requires("data:write", regional=False)
def get_batch_rejects(batch_id: int, query_data: BatchRejectPage) -> Response:
    """The rows of a batch that were not accepted, as they are in the file, with everything that is wrong.

    Of a file that was refused whole, the first 1,000. `format=csv` gives all of them as one file.
    """
    _require_known(batch_id)
    if query_data.format == "csv":
        require_whole(query_data)
        with ExitStack() as stack:
            reader = stack.enter_context(services().database.snapshot())
            found = batch_rejects(reader, batch_id, query_data.reason, 0, None)
            return streamed(csv_pieces(columns_of(BatchReject), found), "csv", stack.pop_all())
    after = envelope.read_key(query_data.cursor) or 0
    with services().database.snapshot() as reader:
        rows = list(batch_rejects(reader, batch_id, query_data.reason, after, query_data.limit + 1))
    return json_response(envelope.listed(rows, query_data.limit, "row_number"))


class MendingQuery(Parameters):
    """How a landed batch may be changed."""

    reopen: bool = Field(False, description="Let it change closed months, and open them again.")


@blueprint.post("/<int:batch_id>/void")
@blueprint.input(MendingQuery, location="query")
@answers_with(blueprint, RefreshOne, *STARTING, "invalid_value", "not_found", status=202)
@starts_job(blueprint)
@requires("data:write", regional=False)
def post_void(batch_id: int, query_data: MendingQuery) -> Response:
    """Take a landed batch back out of the numbers, as if it had never come.

    The files of one overwrite go together.
    """
    _require_known(batch_id)
    return _mend({"void": [batch_id], "reopen": query_data.reopen}, job_answers.idempotency_key())


@blueprint.post("/<int:batch_id>/restore")
@blueprint.input(MendingQuery, location="query")
@answers_with(blueprint, RefreshOne, *STARTING, "invalid_value", "not_found", status=202)
@starts_job(blueprint)
@requires("data:write", regional=False)
def post_restore(batch_id: int, query_data: MendingQuery) -> Response:
    """Put a voided batch back."""
    _require_known(batch_id)
    return _mend({"restore": [batch_id], "reopen": query_data.reopen}, job_answers.idempotency_key())


@blueprint.post("/<int:batch_id>/replay")
@blueprint.input(MendingQuery, location="query")
@answers_with(
    blueprint, RefreshOne, *STARTING, "invalid_value", "invalid_body", "unsupported_media_type",
    "uploads_unavailable", "not_found", status=202,
)  # fmt: skip
@starts_job(blueprint, takes=BODY, needs_body=False)
@requires("data:write", regional=False)
def post_replay(batch_id: int, query_data: MendingQuery) -> Response:
    """Try a batch's rejected rows again.

    Without a body the kept original is read as its source is described now; a body is a CSV file of
    corrected rows, with the column `tillhouse_row`.
    """
    _require_known(batch_id)
    asked = {"replay": batch_id, "reopen": query_data.reopen}
    key = job_answers.idempotency_key()
    if not request.content_length and not request.headers.get("Transfer-Encoding"):
        return _mend(asked, key)
    upload = uploads.receive(services().settings, None)
    if len(upload.files) > 1:
        upload.remove()
        raise Problem("invalid_body", "Send the corrected rows of a batch as one file.")
    return _mend(asked, key, upload)


def _require_known(batch_id: int) -> None:
    with services().database.snapshot() as connection:
        if batch_id > LARGEST_ID or not has_batch(connection, batch_id):
            raise Problem("not_found", f"There is no batch {batch_id}.")


def _mend(asked: dict[str, Any], key: str | None, upload: uploads.Upload | None = None) -> Response:
    """A refresh that does this in place of landing what waits."""
    files = [] if upload is None else [{"sha256": file.sha256} for file in upload.files]
    told = {"mode": None, "full": False, "sources": None, "files": files} | asked
    new = job_answers.new_job("refresh", told, job_id=upload.job_id if upload else None)
    config = asked | {"requested_by": new.requested_by}
    if upload is not None:
        config["files"] = [str(file.path) for file in upload.files]
    run_config = {"resources": {"refresh_request": {"config": config}}}
    put_away = upload.remove if upload else (lambda: None)
    launch = jobs.Launch("refresh", run_config, put_away)
    job, is_replayed = jobs.start(new, launch, key)
    return job_answers.answer(written(job), status=202, is_replayed=is_replayed)
