"""What refreshes, imports and exports answer in the same way."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response, g, request
from pydantic import Field

from api.access import principal
from api.parameters import Page
from api.problems import Problem, problem_body
from api.responses import json_response
from api.services import services
from pipeline.answers import envelope
from pipeline.answers.models import Counts, Model
from pipeline.jobs.asking import NewJob
from pipeline.jobs.rows import IN_FLIGHT, Job, Kind, list_jobs

POLL_SECONDS = 1
KEY_HEADER = "Idempotency-Key"
Status = Literal["queued", "running", "succeeded", "failed", "canceled"]

# What starting any job may be answered with, besides what is wrong with the request itself.
STARTING = (
    "invalid_parameter", "idempotency_conflict", "idempotency_key_reused",
    "database_unavailable", "dagster_unavailable",
)  # fmt: skip
CANCELING = ("job_finished", "not_cancelable", "database_unavailable", "dagster_unavailable")
LISTING = ("invalid_parameter", "invalid_value", "invalid_cursor", "database_unavailable")


class JobModel(Model):
    """A job and what became of it."""

    id: UUID
    status: Status
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts = Field(description="Progress, in rows.")
    message: str | None
    problem: dict[str, Any] | None = Field(description="Why it failed, in the form of every problem.")
    dagster_run_id: str | None
    links: dict[str, str]


class JobPage(Page):
    """A list of jobs."""

    status: Status | None = Field(None, description="Only jobs in this state.")


def new_job(kind: Kind, asked: dict[str, Any], **options: Any) -> NewJob:
    """A job that the caller of this request asks for; ``options`` are ``NewJob``'s."""
    caller = principal()
    requested_by = "api" if caller.id is None else f"api:{caller.name}"
    return NewJob(kind, asked, requested_by, caller.id, g.request_id, **options)


def idempotency_key() -> str | None:
    """The request's idempotency key, if it has one.

    Raises:
        Problem: it is none.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None or (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        return key
    detail = "must have 1 to 255 printable ASCII characters"
    raise Problem(
        "invalid_parameter",
        f"{KEY_HEADER}: {detail}.",
        errors=[{"parameter": KEY_HEADER, "code": "invalid_parameter", "detail": detail}],
    )


def written(job: Job, address: str, failed: str) -> dict[str, Any]:
    """The members that every job has; ``failed`` is the code of a failure that has no other."""
    return {
        "id": str(job["job_id"]),
        **{
            name: job[name]
            for name in (
                "status", "requested_by", "requested_at", "started_at", "finished_at", "counts", "message",
            )
        },
        "problem": _problem(job, failed),
        "dagster_run_id": job["dagster_run_id"],
        "links": {"self": f"{address}/{job['job_id']}"},
    }  # fmt: skip


def answer(data: dict[str, Any], status: int = 200, *, is_replayed: bool = False) -> Response:
    """One job as a response."""
    response = json_response({"data": data}, status)
    if data["status"] in IN_FLIGHT:
        response.headers["Retry-After"] = str(POLL_SECONDS)
    if request.method != "GET":
        response.headers["Location"] = data["links"]["self"]
    if is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def listed(
    kinds: tuple[Kind, ...], page: JobPage, write: Callable[[Job], dict[str, Any]], whose: UUID | None = None
) -> Response:
    """A page of jobs, newest first."""
    before = None if page.cursor is None else envelope.read_cursor(page.cursor, datetime, UUID)
    with services().database.writing() as connection:
        found = list_jobs(connection, kinds, before, page.limit + 1, page.status, whose)
    rows, next_cursor = found[: page.limit], None
    if len(found) > page.limit:
        next_cursor = envelope.make_cursor(rows[-1]["requested_at"], rows[-1]["job_id"])
    return json_response({"data": [write(row) for row in rows], "page": envelope.page(next_cursor)})


def _problem(job: Job, failed: str) -> dict[str, Any] | None:
    if job["status"] != "failed":
        return None
    told: dict[str, Any] = job["problem"] or {}
    detail = told.get("detail") or job["message"] or "The job failed; its log tells more."
    return problem_body(Problem(told.get("code", failed), detail)) | told
