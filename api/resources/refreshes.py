"""Refreshes: ask for one, follow it, read its log, cancel it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field, StrictBool

from api import jobs
from api.access import requires
from api.documented import answers_with
from api.documented_jobs import starts_job
from api.parameters import Cursor, Limit, Parameters, Text
from api.resources import job_answers
from api.resources.job_answers import CANCELING, LISTING, STARTING, JobModel, JobPage
from api.responses import json_response
from pipeline.answers import envelope
from pipeline.answers.models import Model, PageInfo
from pipeline.jobs.rows import Job

blueprint = APIBlueprint("refreshes", __name__, url_prefix="/api/v1/refreshes", tag="Refreshes")
shortcut = APIBlueprint("refresh", __name__, tag="Refreshes")

_KINDS: tuple[Literal["refresh"]] = ("refresh",)


class RefreshBody(Parameters):
    """What to refresh; everything may be left out."""

    mode: Literal["append", "overwrite"] | None = Field(
        None, description="How the waiting files are taken in; default as their source says."
    )
    full: StrictBool = Field(False, description="Build everything anew instead of the change alone.")
    sources: list[Text] | None = Field(None, description="Only these sources; default all.", min_length=1)


class Refresh(JobModel):
    """A refresh and what became of it."""

    mode: str | None
    full: bool
    sources: list[str] | None
    batches_fixed_at: datetime | None = Field(
        description="Since when new callers are not joined to this job any more."
    )
    build_id: int | None = Field(description="The build it published; null while there is none.")


class RefreshOne(Model):
    """One refresh."""

    data: Refresh


class RefreshList(Model):
    """Refreshes, newest first."""

    data: list[Refresh]
    page: PageInfo


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


BODY = ("invalid_value", "invalid_body", "unsupported_media_type")


@shortcut.post("/refresh")
@shortcut.input(RefreshBody)
@answers_with(shortcut, RefreshOne, *BODY, *STARTING, status=202)
@starts_job(shortcut)
@requires("refresh:run", regional=False)
def post_refresh(json_data: RefreshBody) -> Response:
    """Ask for a refresh; the short way."""
    return _start(json_data)


@blueprint.post("")
@blueprint.input(RefreshBody)
@answers_with(blueprint, RefreshOne, *BODY, *STARTING, status=202)
@starts_job(blueprint)
@requires("refresh:run", regional=False)
def post_refreshes(json_data: RefreshBody) -> Response:
    """Ask for a refresh.

    While an equal request is in flight and has not fixed its list of batches, its job is answered.
    """
    return _start(json_data)


@blueprint.get("")
@blueprint.input(JobPage, location="query")
@answers_with(blueprint, RefreshList, *LISTING)
@requires("analytics:read", regional=False)
def get_refreshes(query_data: JobPage) -> Response:
    """The refreshes, newest first."""
    return job_answers.listed(_KINDS, query_data, written)


@blueprint.get("/<uuid:refresh_id>")
@answers_with(blueprint, RefreshOne, "database_unavailable")
@requires("analytics:read", regional=False)
def get_refresh(refresh_id: UUID) -> Response:
    """One refresh as it is now."""
    job = jobs.follow(_KINDS, refresh_id)
    return job_answers.answer(written(job))


@blueprint.get("/<uuid:refresh_id>/logs")
@blueprint.input(LogPage, location="query")
@answers_with(blueprint, LogLines, *LISTING, "dagster_unavailable")
@requires("refresh:run", regional=False)
def get_refresh_logs(refresh_id: UUID, query_data: LogPage) -> Response:
    """The log of a refresh's run.

    The cursor of the last page stays valid: ask with it again for what was logged since.
    """
    after = None if query_data.cursor is None else envelope.read_cursor(query_data.cursor, str)[0]
    found = jobs.read_log(refresh_id, after, query_data.limit)
    cursor = envelope.make_cursor(found.cursor) if found.cursor else None
    page = {"next_cursor": cursor, "has_more": found.has_more}
    return json_response({"data": found.lines, "page": page})


@blueprint.delete("/<uuid:refresh_id>")
@answers_with(blueprint, RefreshOne, *CANCELING, status=202)
@requires("refresh:run", regional=False)
def delete_refresh(refresh_id: UUID) -> Response:
    """Cancel a refresh; all who joined it are canceled with it.

    A refresh of the command line runs in its terminal's own process and can only be stopped there.
    """
    job = jobs.cancel(_KINDS, refresh_id)
    return job_answers.answer(written(job), status=202)


def _start(body: RefreshBody) -> Response:
    sources = sorted(set(body.sources)) if body.sources is not None else None
    asked = {"mode": body.mode, "full": body.full, "sources": sources}
    new = job_answers.new_job("refresh", asked, is_joinable=True)
    config = asked | {"sources": sources or [], "requested_by": new.requested_by}
    launch = jobs.Launch("refresh", {"resources": {"refresh_request": {"config": config}}})
    job, is_replayed = jobs.start(new, launch, job_answers.idempotency_key())
    return job_answers.answer(written(job), status=202, is_replayed=is_replayed)


def written(job: Job) -> dict[str, Any]:
    """A refresh as it is answered."""
    found = job_answers.written(job, "/api/v1/refreshes", "refresh_failed")
    asked = job["request"]
    found["links"]["logs"] = f"{found['links']['self']}/logs"
    return found | {
        "mode": asked["mode"],
        "full": asked["full"],
        "sources": asked["sources"],
        "batches_fixed_at": job["batches_fixed_at"],
        "build_id": job["build_id"],
    }
