"""The audit: every request that may change something is on record before it does."""

import logging
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask, Response, current_app, g, request

from api.access import Principal
from api.problems import Problem
from api.services import services
from pipeline.accounts import audit
from pipeline.accounts.audit import Attempt, Outcome

log = logging.getLogger("api")

_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_READS_ONLY = "_tillhouse_reads_only"
# Floods are in the log and the metrics, and must not fill a table; without Postgres there is none.
_NOT_RECORDED = frozenset((429, 503))


def register(app: Flask) -> None:
    """Record every write: begun before its view, finished after it, and the ones that were denied.

    What was refused before it was asked who calls (no such route, a host or a page of another site) is
    no write, and no limit keeps it from filling a table.
    """

    @app.before_request
    def begin() -> None:
        if not _is_write():
            return
        g.audit_id = None
        try:
            with services().database.writing() as connection:
                g.audit_id = audit.begin(connection, _attempt())
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            log.error("request %s: the audit cannot be written", g.request_id, exc_info=error)
            raise Problem("audit_unavailable", "What cannot be recorded is not done.") from error

    @app.after_request
    def finish(response: Response) -> Response:
        is_begun = "audit_id" in g
        if not _is_write() or (is_begun and g.audit_id is None):
            return response
        if not is_begun and response.status_code in _NOT_RECORDED:
            return response
        try:
            _complete(response)
        except psycopg.Error as error:
            log.error("request %s: its outcome is not on record", g.request_id, exc_info=error)
        return response


def reads_only(view: Any) -> Any:
    """Say of a view that its POST changes nothing itself: what it asks other routes for, they record."""
    setattr(view, _READS_ONLY, True)
    return view


def about(target: str) -> None:
    """Say what this request changes, when its address does not."""
    g.audit_target = target


def _is_write() -> bool:
    if request.method in _SAFE_METHODS or request.url_rule is None or "principal" not in g:
        return False
    return not hasattr(current_app.view_functions[request.url_rule.endpoint], _READS_ONLY)


def _complete(response: Response) -> None:
    attempt = _attempt(response.headers.get("Location"))
    with services().database.writing() as connection:
        audit_id = g.get("audit_id")
        if audit_id is None:
            audit_id = audit.begin(connection, attempt)
        code = g.get("problem_code") if response.status_code >= 400 else None
        audit.finish(connection, audit_id, attempt, _outcome(response), response.status_code, code)


def _attempt(made: str | None = None) -> Attempt:
    caller: Principal = g.principal
    of_address = ", ".join(map(str, (request.view_args or {}).values()))
    return Attempt(
        principal_id=caller.id,
        principal_name=caller.name,
        action=f"{request.method} {request.url_rule}",
        target=g.get("audit_target") or of_address or made,
        request_id=UUID(g.request_id),
        address=request.remote_addr,
    )


def _outcome(response: Response) -> Outcome:
    if response.status_code < 400:
        return "succeeded"
    return "denied" if response.status_code in (401, 403) else "failed"
