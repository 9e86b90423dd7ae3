"""Batches: what was loaded, from where, and what became of its rows."""

from datetime import date, datetime
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from api.access import requires
from api.documented import answers_with
from api.parameters import Page, Text
from api.responses import json_response
from api.services import services
from pipeline.answers import envelope
from pipeline.answers.batches import list_batches
from pipeline.answers.models import Counts, Model, PageInfo

blueprint = APIBlueprint("batches", __name__, url_prefix="/api/v1/batches", tag="Activity")

Status = Literal["running", "landed", "skipped", "refused", "failed", "voided"]


class BatchModel(Model):
    """One delivery: rows_read = rows_accepted + rows_quarantined."""

    batch_id: int
    call_id: int = Field(description="The files of one call share it.")
    feed: str
    source: str
    mode: str
    status: Status
    file_name: str
    size_bytes: int | None
    sha256: str | None
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    reasons: Counts = Field(description="Quarantined rows by their first reason.")
    message: str | None
    first_sale_date: date | None
    last_sale_date: date | None
    requested_by: str
    dagster_run_id: str | None
    build_id: int | None = Field(description="The build that published it; null while none has.")
    started_at: datetime
    finished_at: datetime | None


class BatchList(Model):
    """Batches, newest first."""

    data: list[BatchModel]
    page: PageInfo


class BatchPage(Page):
    """A list of batches."""

    source: Text | None = Field(None, description="Only this source.")
    status: Status | None = Field(None, description="Only batches in this state.")


@blueprint.get("")
@blueprint.input(BatchPage, location="query")
@answers_with(
    blueprint,
    BatchList,
    "invalid_parameter",
    "invalid_value",
    "invalid_cursor",
    "database_unavailable",
    "query_timeout",
)
@requires("analytics:read", regional=False)
def get_batches(query_data: BatchPage) -> Response:
    """What was loaded, newest first."""
    before = envelope.read_key(query_data.cursor)
    with services().database.snapshot() as connection:
        found = list_batches(connection, before, query_data.limit + 1, query_data.source, query_data.status)
    return json_response(envelope.listed(found, query_data.limit, "batch_id"))
