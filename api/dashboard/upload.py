"""The page that takes a file: it is checked first, and loaded when its sender has seen the problems.

Rendered here and not by Dash, whose uploads go through the browser's memory.
"""

from typing import Any, get_args

from flask import Blueprint, Response, redirect, render_template
from pydantic import ValidationError

from api import uploads
from api.access import requires
from api.problems import Problem
from api.resources.imports import Feed, ImportQuery, start
from api.services import services

blueprint = Blueprint("upload", __name__, template_folder="templates")

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FIELDS = ("source", "feed")


@blueprint.get("/upload")
@requires("data:write", regional=False)
def get_upload() -> Response:
    """The form."""
    return _page({})


@blueprint.post("/upload")
@requires("data:write", regional=False)
def post_upload() -> Response:
    """Check the files, and show what becomes of them on the data page."""
    try:
        upload = uploads.receive(services().settings, None, FIELDS)
    except Problem as problem:
        return _page({}, problem.detail, problem.type.status)
    given = {name: value.strip() for name, value in upload.fields.items() if value.strip()}
    try:
        asked = ImportQuery(dry_run=True, **given)  # type: ignore[arg-type]
    except ValidationError as error:
        upload.remove()
        wrong = error.errors()[0]
        return _page(given, f"{wrong['loc'][0]}: {wrong['msg'].removeprefix('Value error, ')}.", 422)
    job, _ = start(asked, upload, None)
    response = redirect(f"/data?import={job['job_id']}", 303)
    assert isinstance(response, Response)
    return response


def _page(given: dict[str, Any], error: str | None = None, status: int = 200) -> Response:
    page = render_template("upload.html", given=given, feeds=get_args(Feed), error=error)
    response = Response(page, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response
