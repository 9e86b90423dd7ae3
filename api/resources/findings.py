"""Findings: a period's story as a page of HTML, made when asked for, or kept of a build."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, send_file
from psycopg import Connection
from pydantic import Field

from api.access import requires
from api.answering import answered_page
from api.documented import answers_with
from api.parameters import IsoDate, Parameters
from api.problems import Problem
from api.resources.builds import LARGEST_ID
from api.resources.docs import HTML
from api.resources.filters import units
from api.responses import json_response
from api.services import services
from pipeline.answers.models import Model
from pipeline.findings.gathering import Findings, gather
from pipeline.findings.keeping import kept_reports, report_path
from pipeline.findings.page import render

blueprint = APIBlueprint("findings", __name__, url_prefix="/api/v1/findings", tag="Findings")

# The page has its styles and charts inside, and no script.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_CHANGED: dict[int | str, Any] = {304: {"description": "The page is the one whose ETag was sent."}}


class FindingsAsked(Parameters):
    """Which dates."""

    start_date: IsoDate | None = Field(
        None, description="First day, inclusive; without any date the data's last whole month is told of."
    )
    end_date: IsoDate | None = Field(None, description="Last day, inclusive.")


class KeptModel(Model):
    """The report of one build, as it was made then."""

    build_id: int
    made_at: datetime
    size_bytes: int
    link: str


class KeptList(Model):
    """The reports that are kept, newest build first."""

    data: list[KeptModel]


@blueprint.get("")
@blueprint.input(FindingsAsked, location="query")
@blueprint.doc(
    responses=HTML | _CHANGED,
    extensions={
        "x-problem-codes": [
            "invalid_parameter", "invalid_range", "no_build", "database_unavailable", "query_timeout",
        ]
    },
)  # fmt: skip
@requires("analytics:read", regional=False)
def get_findings(query_data: FindingsAsked) -> Response:
    """A period's story in words, figures and charts: one page, made of what is published now."""

    def ask(connection: Connection) -> Findings:
        return gather(connection, query_data.start_date, query_data.end_date, **units())

    return _page(answered_page(query_data, ask, lambda found: render(found, datetime.now(UTC)).encode()))


@blueprint.get("/builds")
@answers_with(blueprint, KeptList)
@requires("analytics:read", regional=False)
def get_kept_findings() -> Response:
    """The reports that are kept: one of each of the newest builds, of the last whole month then."""
    reports = [
        {
            "build_id": report.build_id,
            "made_at": report.made_at,
            "size_bytes": report.size_bytes,
            "link": f"/api/v1/findings/builds/{report.build_id}",
        }
        for report in kept_reports(services().settings.findings_folder)
    ]
    return json_response({"data": reports})


@blueprint.get("/builds/<int:build_id>")
@blueprint.doc(responses=HTML | _CHANGED)
@requires("analytics:read", regional=False)
def get_kept_finding(build_id: int) -> Response:
    """The report that is kept of a build."""
    path = report_path(services().settings.findings_folder, min(build_id, LARGEST_ID))
    try:
        page = send_file(path, mimetype="text/html")
    except FileNotFoundError as error:
        raise Problem(
            "not_found",
            f"No findings report of build {build_id} is kept; /api/v1/findings/builds lists those that are.",
        ) from error
    page.headers["X-Build-Id"] = str(build_id)
    page.headers["Cache-Control"] = "private, no-cache"
    return _page(page)


def _page(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response
