"""Refreshes: ask for one, follow it, read its log, cancel it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from api import envelope, jobs
from api.documented import answers_with
from api.models import Counts, Model, PageInfo
from api.parameters import Cursor, Limit, Page, Parameters, Text
from api.problems import Problem, problem_body
from api.queries.errors import QueryError
from api.queries.refreshes import RefreshRequest, list_refreshes
from api.responses import json_response
from api.services import services

blueprint = APIBlueprint("refreshes", __name__, url_prefix="/api/v1/refreshes", tag="Refreshes")
shortcut = APIBlueprint("refresh", __name__, tag="Refreshes")

POLL_SECONDS = 1
Status = Literal["queued", "running", "succeeded", "failed", "canceled"]


class RefreshBody(Parameters):
    """What to refresh; everything may be left out."""

    mode: Literal["append", "overwrite"] | None = Field(
        None, description="How the waiting files are taken in; default as their source says."
    )
    full: bool = Field(False, description="Build everything anew instead of the change alone.")
    sources: list[Text] | None = Field(None, description="Only these sources; default all.", min_length=1)


class Job(Model):
    """A refresh and what became of it."""

    id: UUID
    status: Status
    requested_by: str
    mode: str | None
    full: bool
    sources: list[str] | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    batches_fixed_at: datetime | None = Field(
        description="Since when new callers are not joined to this job any more."
    )
    build_id: int | None = Field(description="The build it published; null while there is none.")
    counts: Counts = Field(description="Progress, in rows.")
    message: str | None
    problem: dict[str, Any] | None = Field(description="Why it failed, in the form of every problem.")
    dagster_run_id: str | None
    links: dict[str, str]


class JobOne(Model):
    """One refresh."""

    data: Job


class JobList(Model):
    """Refreshes, newest first."""

    data: list[Job]
    page: PageInfo


class JobPage(Page):
    """A list of refreshes."""

    status: Status | None = Field(None, description="Only refreshes in this state.")


class LogLine(Model):
    """One line of a run's log."""

    timestamp: datetime
    level: str
    step: str | None
    message: str


class LogLines(Model):
    """A stretch of a run's log, oldest first."""

    data: list[LogLine]
    page: PageInfo


class LogPage(Parameters):
    """Where in a log, and how much of it."""

    limit: Limit = 500
    cursor: Cursor = None


STARTING = (
    "invalid_parameter", "invalid_value", "invalid_body", "unsupported_media_type", "database_unavailable",
    "dagster_unavailable",
)  # fmt: skip


@shortcut.post("/refresh")
@shortcut.input(RefreshBody)
@answers_with(shortcut, JobOne, *STARTING, status=202)
def post_refresh(json_data: RefreshBody) -> Response:
    """Ask for a refresh; the short way."""
    return _start(json_data)


@blueprint.post("")
@blueprint.input(RefreshBody)
@answers_with(blueprint, JobOne, *STARTING, status=202)
def post_refreshes(json_data: RefreshBody) -> Response:
    """Ask for a refresh.

    While an equal request is in flight and has not fixed its list of batches, its job is answered.
    """
    return _start(json_data)


@blueprint.get("")
@blueprint.input(JobPage, location="query")
@answers_with(
    blueprint, JobList, "invalid_parameter", "invalid_value", "invalid_cursor", "database_unavailable"
)  # fmt: skip
def get_refreshes(query_data: JobPage) -> Response:
    """The refreshes, newest first."""
    before = None if query_data.cursor is None else _read_cursor(query_data.cursor)
    with services().database.writing() as connection:
        found = list_refreshes(connection, before, query_data.limit + 1, query_data.status)
    rows, next_cursor = found[: query_data.limit], None
    if len(found) > query_data.limit:
        next_cursor = envelope.make_cursor(rows[-1]["requested_at"].isoformat(), str(rows[-1]["refresh_id"]))
    return json_response({"data": [_written(row) for row in rows], "page": envelope.page(next_cursor)})


@blueprint.get("/<uuid:refresh_id>")
@answers_with(blueprint, JobOne, "database_unavailable")
def get_refresh(refresh_id: UUID) -> Response:
    """One refresh as it is now."""
    return _answer(jobs.follow(services().database, services().dagster, refresh_id))


@blueprint.get("/<uuid:refresh_id>/logs")
@blueprint.input(LogPage, location="query")
@answers_with(
    blueprint,
    LogLines,
    "invalid_parameter",
    "invalid_value",
    "invalid_cursor",
    "database_unavailable",
    "dagster_unavailable",
)  # fmt: skip
def get_refresh_logs(refresh_id: UUID, query_data: LogPage) -> Response:
    """The log of a refresh's run.

    The cursor of the last page stays valid: ask with it again for what was logged since.
    """
    after = None if query_data.cursor is None else envelope.read_cursor(query_data.cursor, str)[0]
    found = jobs.read_log(services().database, services().dagster, refresh_id, after, query_data.limit)
    cursor = envelope.make_cursor(found.cursor) if found.cursor else None
    page = {"next_cursor": cursor, "has_more": found.has_more}
    return json_response({"data": found.lines, "page": page})


@blueprint.delete("/<uuid:refresh_id>")
@answers_with(
    blueprint,
    JobOne,
    "job_finished",
    "not_cancelable",
    "database_unavailable",
    "dagster_unavailable",
    status=202,
)  # fmt: skip
def delete_refresh(refresh_id: UUID) -> Response:
    """Cancel a refresh; all who joined it are canceled with it.

    A refresh of the command line runs in its terminal's own process and can only be stopped there.
    """
    return _answer(jobs.cancel(services().database, services().dagster, refresh_id), status=202)


def _start(body: RefreshBody) -> Response:
    sources = tuple(sorted(set(body.sources))) if body.sources is not None else None
    asked = RefreshRequest(is_full=body.full, mode=body.mode, sources=sources)
    job = jobs.start(services().database, services().dagster, asked, requested_by="api")
    return _answer(job, status=202)


def _answer(job: jobs.Job, status: int = 200) -> Response:
    written = _written(job)
    response = json_response({"data": written}, status)
    if job["status"] in ("queued", "running"):
        response.headers["Retry-After"] = str(POLL_SECONDS)
    if request.method != "GET":
        response.headers["Location"] = written["links"]["self"]
    return response


def _written(job: jobs.Job) -> dict[str, Any]:
    address = f"{blueprint.url_prefix}/{job['refresh_id']}"
    return {
        "id": str(job["refresh_id"]),
        "status": job["status"],
        "requested_by": job["requested_by"],
        "mode": job["mode"],
        "full": job["is_full"],
        "sources": job["sources"],
        "requested_at": job["requested_at"],
        "started_at": job["started_at"],
        "finished_at": job["finished_at"],
        "batches_fixed_at": job["batches_fixed_at"],
        "build_id": job["build_id"],
        "counts": job["counts"],
        "message": job["message"],
        "problem": _problem(job),
        "dagster_run_id": job["dagster_run_id"],
        "links": {"self": address, "logs": f"{address}/logs"},
    }


def _problem(job: jobs.Job) -> dict[str, Any] | None:
    if job["status"] != "failed":
        return None
    told: dict[str, Any] = job["problem"] or {}
    detail = told.get("detail") or job["message"] or "The refresh failed; its log tells more."
    return problem_body(Problem("refresh_failed", detail)) | told


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    moment, refresh_id = envelope.read_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(moment), UUID(refresh_id)
    except ValueError as error:
        detail = "This cursor belongs to no page of this list; start again without it."
        raise QueryError("invalid_cursor", detail, "cursor") from error
