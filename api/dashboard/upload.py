"""The page that takes files: they are checked first, and loaded when their sender has seen the problems.

It is no part of Dash, whose uploads go through the browser's memory.
"""

from typing import get_args

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import ValidationError

from api import uploads
from api.access import page
from api.dashboard.plain_pages import plain_page
from api.parameters import problem_of
from api.problems import Problem, shown_by
from api.resources.imports import Feed, ImportQuery, start
from api.responses import see_other
from api.services import services

blueprint = APIBlueprint("upload", __name__, template_folder="templates", enable_openapi=False)

FIELDS = ("source", "feed")


def _form(problem: Problem | None = None) -> Response:
    error = problem.detail if problem else None
    return plain_page("upload.html", feeds=get_args(Feed), error=error, given=g.get("form_fields", {}))


@blueprint.get("/upload")
@shown_by(_form)
@page("data:write", regional=False)
def get_upload() -> Response:
    """A form that takes files."""
    return _form()


@blueprint.post("/upload")
@shown_by(_form)
@page("data:write", regional=False)
def post_upload() -> Response:
    """Check the files; the data page shows what is wrong with them."""
    upload = uploads.receive(services().settings, None, FIELDS)
    given = {name: value.strip() for name, value in upload.fields.items() if value.strip()}
    try:
        asked = ImportQuery.model_validate(given | {"dry_run": True})
    except ValidationError as error:
        upload.remove()
        raise problem_of(error.errors(include_url=False), "form") from error
    job, _ = start(asked, upload, None)
    return see_other(f"/data?import={job['job_id']}")
