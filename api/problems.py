"""Every error the API answers with: RFC 9457 problems, each with a stable code."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask, Response, current_app, g, request
from psycopg_pool import PoolTimeout
from werkzeug.exceptions import HTTPException

from api.dagster import DagsterUnavailable
from api.responses import PROBLEM_JSON, json_response
from pipeline.answers.errors import QueryError

RETRY_SECONDS = 5
_SHOWN_BY = "_tillhouse_problem_page"

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
        ProblemType("invalid_request", 400, "Malformed login",
                    "The form lacks a parameter that its grant needs, or has one twice."),
        ProblemType("invalid_grant", 400, "Login refused",
                    "The name, the password or the refresh token is wrong, has expired, or was used before."),
        ProblemType("invalid_scope", 400, "Invalid scope", "A scope that was asked for cannot be given."),
        ProblemType("unsupported_grant_type", 400, "Unsupported grant type",
                    "The grants are password, client_credentials and refresh_token."),
        ProblemType("invalid_client", 401, "Client refused", "The client or its secret is wrong."),
        ProblemType("unauthenticated", 401, "Not logged in",
                    "The route takes an access token in the Authorization header; POST /api/v1/auth/token "
                    "gives one. In a browser, sign in at /sign-in. (Only where accounts are on.)"),
        ProblemType("invalid_token", 401, "Invalid token",
                    "The access token is not valid, has expired or was revoked. Get another one."),
        ProblemType("accounts_off", 409, "No accounts here", "The service asks for no login."),
        ProblemType("missing_scope", 403, "Missing scope", "The caller lacks the scope that the route asks."),
        ProblemType("not_regional", 403, "Not for limited callers",
                    "The caller is limited to regions, and the route cannot tell its answer for some regions "
                    "alone."),
        ProblemType("region_not_allowed", 403, "Region not allowed",
                    "The caller asked for a region outside those that it is limited to."),
        ProblemType("not_found", 404, "Not found", "There is no such route or thing."),
        ProblemType("method_not_allowed", 405, "Method not allowed",
                    "The route does not know this method; the Allow header names those it knows."),
        ProblemType("not_acceptable", 406, "Not acceptable",
                    "The route has none of the formats that the Accept header or `format` asks for."),
        ProblemType("stale_cursor", 409, "Stale cursor",
                    "The numbers have changed since the first page. Start again without the cursor."),
        ProblemType("job_finished", 409, "Job finished", "The job has ended and cannot be canceled."),
        ProblemType("not_cancelable", 409, "Not cancelable",
                    "The job's run cannot be stopped from here: it runs in a terminal's own process (stop it "
                    "there), or its process died and Dagster is about to try it again (ask again in a few "
                    "seconds). Nothing was changed."),
        ProblemType("idempotency_conflict", 409, "Same key under way",
                    "Another request with this Idempotency-Key is under way. Ask again in a second.", 1),
        ProblemType("not_checked", 409, "Not checked",
                    "Only what a dry run has checked to its end can be loaded from it."),
        ProblemType("body_too_large", 413, "Body too large", "The body has more bytes than the route takes."),
        ProblemType("unsupported_media_type", 415, "Unsupported media type",
                    "The body is of another media type than the route takes; Accept-Post names that."),
        ProblemType("invalid_value", 422, "Invalid value",
                    "A parameter or a field of the body was understood, but its value cannot be used."),
        ProblemType("idempotency_key_reused", 422, "Key of another request",
                    "The Idempotency-Key came with another request before. Use a new one."),
        ProblemType("file_refused", 422, "File refused",
                    "Found in the `problem` of a failed import: a file was refused whole, nothing of it was "
                    "loaded. Its rejected rows tell why."),
        ProblemType("invalid_range", 422, "Invalid range", "The start is after the end; both are inclusive."),
        ProblemType("too_many_buckets", 422, "Too many buckets",
                    "The range has more buckets than one answer may have. Use a coarser grain."),
        ProblemType("export_too_large", 422, "Too large to stream",
                    "The answer has more rows than are streamed. Have a file made: POST /api/v1/exports."),
        ProblemType("rate_limited", 429, "Too many requests",
                    "The caller asks too often, or has failed to log in too often. Wait as long as "
                    "Retry-After says.", 60),
        ProblemType("too_many_jobs", 429, "Too many jobs",
                    "The caller has as many exports under way as it may. Wait for one, or cancel one.", 30),
        ProblemType("bad_request", 400, "Bad request", "The request could not be understood."),
        ProblemType("internal_error", 500, "Internal error",
                    "A fault of the service. The log has the details under the request_id."),
        ProblemType("no_build", 503, "No numbers yet",
                    "Nothing is published yet: load a file. Or a much older version published it: refresh.",
                    5),
        ProblemType("database_unavailable", 503, "Database unavailable",
                    "Postgres does not answer. Ask again in a few seconds.", RETRY_SECONDS),
        ProblemType("audit_unavailable", 503, "Audit unavailable",
                    "The request cannot be put on record, so it was not done.", RETRY_SECONDS),
        ProblemType("query_timeout", 503, "Query timeout",
                    "The answer took longer than the limit. Ask for a shorter range or fewer groups.", 30),
        ProblemType("dagster_unavailable", 503, "Dagster unavailable",
                    "Dagster does not answer. Numbers can still be read; ask for the refresh again in a few "
                    "seconds.", RETRY_SECONDS),
        ProblemType("refresh_failed", 500, "Refresh failed",
                    "Found in the `problem` of a failed job: its run ended without success. The published "
                    "numbers are as they were."),
        ProblemType("import_failed", 500, "Import failed",
                    "Found in the `problem` of a failed import: its run ended without success. The published "
                    "numbers are as they were."),
        ProblemType("export_failed", 500, "Export failed",
                    "Found in the `problem` of a failed export: its run ended without success."),
        ProblemType("uploads_unavailable", 503, "Uploads unavailable",
                    "There is no room for an upload. Send it again later.", 60),
        ProblemType("exports_unavailable", 503, "Exports unavailable",
                    "There is no room for another file. Ask again later, or remove files that you have.", 60),
        ProblemType("lineage_unavailable", 404, "No lineage yet",
                    "The lineage pages are made with the first refresh."),
    )
}  # fmt: skip

# What any route may answer, whatever it does.
EVERYWHERE = (
    "unknown_parameter", "bad_request", "host_not_allowed", "origin_not_allowed", "not_found",
    "method_not_allowed", "body_too_large", "rate_limited", "internal_error",
)  # fmt: skip

_BY_STATUS = {
    404: "not_found", 405: "method_not_allowed", 413: "body_too_large",
    429: "rate_limited",
}  # fmt: skip


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


def shown_by(page: Callable[[Problem], Response]) -> Callable[[Any], Any]:
    """Let a view for people's eyes show what goes wrong as a page; every other answers JSON."""

    def decorate(view: Any) -> Any:
        setattr(view, _SHOWN_BY, page)
        return view

    return decorate


def register(app: Flask) -> None:
    """Answer every error of the app as a problem."""
    app.register_error_handler(Problem, _respond)
    app.register_error_handler(QueryError, _from_query_error)
    app.register_error_handler(
        DagsterUnavailable, lambda error: _respond(Problem("dagster_unavailable", error.detail))
    )
    app.register_error_handler(psycopg.errors.QueryCanceled, _from_timeout)
    app.register_error_handler(psycopg.OperationalError, _from_lost_database)
    app.register_error_handler(PoolTimeout, _from_lost_database)
    app.register_error_handler(HTTPException, _from_http_exception)
    app.register_error_handler(Exception, _from_fault)


def _respond(problem: Problem) -> Response:
    g.problem_code = problem.type.code
    page = getattr(current_app.view_functions.get(request.endpoint or ""), _SHOWN_BY, _as_json)
    response: Response = page(problem)
    response.status_code = problem.type.status
    if problem.type.retry_after is not None:
        response.headers["Retry-After"] = str(problem.type.retry_after)
    response.headers.update(problem.headers)
    return response


def _as_json(problem: Problem) -> Response:
    body = problem_body(problem)
    body["instance"] = f"urn:uuid:{g.request_id}"
    body["request_id"] = g.request_id
    if problem.errors:
        body["errors"] = list(problem.errors)
    return json_response(body | dict(problem.extra), media_type=PROBLEM_JSON)


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
