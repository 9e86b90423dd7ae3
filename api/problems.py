"""Every error the API answers with: RFC 9457 problems, each with a stable code."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask, Response, g
from psycopg_pool import PoolTimeout
from werkzeug.exceptions import HTTPException

from api.queries.errors import QueryError
from api.responses import PROBLEM_JSON, json_response

RETRY_SECONDS = 5

log = logging.getLogger("api")


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem; ``meaning`` says when it occurs and what to do."""

    code: str
    status: int
    title: str
    meaning: str
    retry_after: int | None = None

    @property
    def uri(self) -> str:
        """The address at which the kind of problem is described."""
        return f"/problems/{self.code}"


PROBLEM_TYPES = {
    problem.code: problem
    for problem in (
        ProblemType("unknown_parameter", 400, "Unknown parameter",
                    "A query parameter that the route does not have. Nothing is ever ignored."),
        ProblemType("invalid_parameter", 400, "Malformed parameter",
                    "A parameter or a field of the body that cannot be read."),
        ProblemType("invalid_body", 400, "Malformed body",
                    "The body is no JSON object of the documented form."),
        ProblemType("invalid_cursor", 400, "Invalid cursor",
                    "The cursor belongs to another question, or is none. Start again without it."),
        ProblemType("host_not_allowed", 403, "Host not allowed",
                    "The request names a host that is not served. Use localhost, or name the host in "
                    "TILLHOUSE_ALLOWED_HOSTS."),
        ProblemType("origin_not_allowed", 403, "Origin not allowed",
                    "A page of another site sent the request."),
        ProblemType("not_found", 404, "Not found", "There is no such route or thing."),
        ProblemType("method_not_allowed", 405, "Method not allowed",
                    "The route does not know this method; the Allow header names those it knows."),
        ProblemType("stale_cursor", 409, "Stale cursor",
                    "The numbers have changed since the first page. Start again without the cursor."),
        ProblemType("job_finished", 409, "Job finished", "The job has ended and cannot be canceled."),
        ProblemType("not_cancelable", 409, "Not cancelable",
                    "The job's run cannot be stopped from here: it runs in a terminal's own process (stop it "
                    "there), or its process died and Dagster is about to try it again (ask again in a few "
                    "seconds). Nothing was changed."),
        ProblemType("body_too_large", 413, "Body too large", "The body has more bytes than the route takes."),
        ProblemType("unsupported_media_type", 415, "Unsupported media type",
                    "The body must be application/json."),
        ProblemType("invalid_value", 422, "Invalid value",
                    "A parameter or a field of the body was understood, but its value cannot be used."),
        ProblemType("invalid_range", 422, "Invalid range", "The start is after the end; both are inclusive."),
        ProblemType("too_many_buckets", 422, "Too many buckets",
                    "The range has more buckets than one answer may have. Use a coarser grain."),
        ProblemType("bad_request", 400, "Bad request", "The request could not be understood."),
        ProblemType("internal_error", 500, "Internal error",
                    "A fault of the service. The log has the details under the request_id."),
        ProblemType("no_build", 503, "No numbers yet", "Nothing is published yet. Load a file first.", 5),
        ProblemType("database_unavailable", 503, "Database unavailable",
                    "Postgres does not answer. Ask again in a few seconds.", RETRY_SECONDS),
        ProblemType("query_timeout", 503, "Query timeout",
                    "The answer took longer than the limit. Ask for a shorter range or fewer groups.", 30),
        ProblemType("dagster_unavailable", 503, "Dagster unavailable",
                    "Dagster does not answer. Numbers can still be read; ask for the refresh again in a few "
                    "seconds.", RETRY_SECONDS),
        ProblemType("refresh_failed", 500, "Refresh failed",
                    "Found in the `problem` of a failed job: its run ended without success. The published "
                    "numbers are as they were."),
        ProblemType("lineage_unavailable", 404, "No lineage yet",
                    "The lineage pages are made with the first refresh."),
    )
}  # fmt: skip

# What any route may answer, whatever it does.
EVERYWHERE = (
    "unknown_parameter", "bad_request", "host_not_allowed", "origin_not_allowed", "not_found",
    "method_not_allowed", "body_too_large", "internal_error",
)  # fmt: skip

_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class Problem(Exception):
    """An error to answer with: a code of ``PROBLEM_TYPES``, and what is wrong this time."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = PROBLEM_TYPES[code]
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.extra = extra or {}


def problem_body(problem: Problem) -> dict[str, Any]:
    """The members of a problem that do not depend on the request."""
    return {
        "type": problem.type.uri,
        "title": problem.type.title,
        "status": problem.type.status,
        "detail": problem.detail,
        "code": problem.type.code,
    }


def register(app: Flask) -> None:
    """Answer every error of the app as a problem."""
    app.register_error_handler(Problem, _respond)
    app.register_error_handler(QueryError, _from_query_error)
    app.register_error_handler(psycopg.errors.QueryCanceled, _from_timeout)
    app.register_error_handler(psycopg.OperationalError, _from_lost_database)
    app.register_error_handler(PoolTimeout, _from_lost_database)
    app.register_error_handler(HTTPException, _from_http_exception)
    app.register_error_handler(Exception, _from_fault)


def _respond(problem: Problem) -> Response:
    body = problem_body(problem)
    body["instance"] = f"urn:uuid:{g.request_id}"
    body["request_id"] = g.request_id
    if problem.errors:
        body["errors"] = list(problem.errors)
    response = json_response(body | dict(problem.extra), problem.type.status, media_type=PROBLEM_JSON)
    if problem.type.retry_after is not None:
        response.headers["Retry-After"] = str(problem.type.retry_after)
    response.headers.update(problem.headers)
    return response


def _from_query_error(error: QueryError) -> Response:
    errors = []
    if error.parameter:
        errors = [{"parameter": error.parameter, "code": error.code, "detail": error.detail}]
    return _respond(Problem(error.code, error.detail, errors=errors))


def _from_timeout(error: psycopg.errors.QueryCanceled) -> Response:
    log.warning("request %s: a statement was stopped: %s", g.request_id, error)
    return _respond(Problem("query_timeout", PROBLEM_TYPES["query_timeout"].meaning))


def _from_lost_database(error: Exception) -> Response:
    log.warning("request %s: the database does not answer: %s", g.request_id, error)
    return _respond(Problem("database_unavailable", "Postgres does not answer; ask again in a few seconds."))


def _from_http_exception(error: HTTPException) -> Response:
    if error.code is not None and error.code >= 500:
        return _from_fault(error)
    code = _BY_STATUS.get(error.code or 400, "bad_request")
    detail = {
        "not_found": "There is nothing at this address; /openapi.json lists every route.",
        "method_not_allowed": "This route does not know this method.",
    }.get(code, error.description or PROBLEM_TYPES[code].meaning)
    allow = {name: value for name, value in error.get_headers() if name == "Allow"}
    return _respond(Problem(code, detail, headers=allow))


def _from_fault(error: Exception) -> Response:
    log.error("request %s failed", g.request_id, exc_info=error)
    return _respond(
        Problem("internal_error", f"A fault of the service; its log has the details under {g.request_id}.")
    )
