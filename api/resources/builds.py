"""Builds: what was published, when, and what it changed in sum."""

from datetime import date, datetime
from functools import partial
from typing import Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from api.access import requires
from api.answering import answered
from api.documented import PAGING, analysis, answers_with
from api.parameters import Page
from api.problems import Problem
from api.resources.filters import Paged, Range, page_limit, units
from api.responses import json_response
from api.services import services
from pipeline.answers import envelope
from pipeline.answers.builds import find_build, list_builds
from pipeline.answers.changes import ChangesQuestion, changes
from pipeline.answers.models import Counts, Meta, Model, Money, PageInfo

blueprint = APIBlueprint("builds", __name__, url_prefix="/api/v1/builds", tag="Activity")

LARGEST_ID = 2**63 - 1


class BuildModel(Model):
    """One build; the numbers are those of the newest published one."""

    build_id: int
    status: str
    is_full: bool
    data_as_of: date | None
    started_at: datetime
    built_at: datetime | None
    finished_at: datetime | None
    lines_added: int | None
    lines_removed: int | None
    net_revenue_before: Money | None
    net_revenue_after: Money | None
    seconds: Counts
    failed_checks: list[Any]
    message: str | None
    requested_by: str
    dagster_run_id: str | None
    batch_ids: list[int]


class BuildOne(Model):
    """One build."""

    data: BuildModel


class BuildList(Model):
    """Builds, newest first."""

    data: list[BuildModel]
    page: PageInfo


class ChangesAsked(Range, Paged):
    """Which days of the build's changes."""


class ChangeRow(Model):
    """One measure of one day, before the build and after it."""

    sale_date: date
    measure: str
    old: Money
    new: Money
    difference: Money
    batch_ids: list[int] = Field(description="The deliveries that did it; a full build names none.")


class ChangeList(Model):
    """Changes in order of time."""

    data: list[ChangeRow]
    meta: Meta
    page: PageInfo


@blueprint.get("")
@blueprint.input(Page, location="query")
@answers_with(
    blueprint,
    BuildList,
    "invalid_parameter",
    "invalid_value",
    "invalid_cursor",
    "database_unavailable",
    "query_timeout",
)
@requires("analytics:read", regional=False)
def get_builds(query_data: Page) -> Response:
    """The builds, failed ones too, newest first."""
    before = envelope.read_key(query_data.cursor)
    with services().database.snapshot() as connection:
        found = list_builds(connection, before, query_data.limit + 1, services().settings.currency)
    return json_response(envelope.listed(found, query_data.limit, "build_id"))


@blueprint.get("/<int:build_id>")
@answers_with(blueprint, BuildOne, "database_unavailable", "query_timeout")
@requires("analytics:read", regional=False)
def get_build(build_id: int) -> Response:
    """One build."""
    return json_response({"data": _find(build_id)})


@blueprint.get("/<int:build_id>/changes")
@blueprint.input(ChangesAsked, location="query")
@analysis(blueprint, ChangeList, *PAGING)
@requires("analytics:read", regional=False)
def get_build_changes(build_id: int, query_data: ChangesAsked) -> Response:
    """What a build changed: each day and measure, old and new, and the batches that did it."""
    _find(build_id)
    question = ChangesQuestion(
        build_id,
        start=query_data.start_date,
        end=query_data.end_date,
        limit=page_limit(query_data),
        cursor=query_data.cursor,
    )
    return answered(query_data, ChangeRow, partial(changes, question=question, **units()))


def _find(build_id: int) -> dict[str, Any]:
    found = None
    if build_id <= LARGEST_ID:
        with services().database.snapshot() as connection:
            found = find_build(connection, build_id, services().settings.currency)
    if found is None:
        raise Problem("not_found", f"There is no build {build_id}.")
    return found
