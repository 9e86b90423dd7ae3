"""Exports: whole answers as files, made by a job and kept for a week."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import MaxLen
from apiflask import APIBlueprint
from flask import Response, send_file
from pydantic import Field

from api import jobs
from api.access import Principal, principal, requires
from api.documented import answers_with
from api.documented_jobs import gives_file, starts_job
from api.files import checked_address
from api.parameters import Parameters, Text
from api.problems import Problem
from api.resources import job_answers
from api.resources.job_answers import CANCELING, LISTING, STARTING, JobModel, JobPage
from api.responses import download_name
from api.services import services
from pipeline.answers.exporting import MEDIA_TYPES
from pipeline.answers.models import Model, PageInfo
from pipeline.jobs.rows import IN_FLIGHT, Job, Kind, add_result

blueprint = APIBlueprint("exports", __name__, url_prefix="/api/v1/exports", tag="Exports")

_KINDS: tuple[Kind, ...] = ("export",)
# How many of them one caller may have under way, and how much room there must be for another.
MOST_IN_FLIGHT = 3
LEAST_FREE_BYTES = 1024**3
# What belongs to an answer on the spot.
_NOT_OF_FILES = ("format", "limit", "cursor", "explain")

FileFormat = Literal["csv", "parquet", "arrow"]
_FORMATS: tuple[FileFormat, ...] = ("csv", "parquet", "arrow")


class ExportBody(Parameters):
    """Which answer to write into a file."""

    path: Text = Field(description="The route that answers it, as in `/api/v1/orders`.")
    query: dict[Text, Text | Annotated[list[Text], MaxLen(1000)]] = Field(
        default={}, description="Its parameters; a list is one given several times."
    )
    format: FileFormat = "csv"


class ExportedFile(Model):
    """A finished file."""

    rows: int
    size_bytes: int
    sha256: str
    build_id: int = Field(description="The build that all of it comes from.")


class Export(JobModel):
    """An export and what became of it."""

    path: str
    query: dict[str, str | list[str]]
    format: FileFormat
    file: ExportedFile | None = Field(description="Null while there is none, and after it was removed.")


class ExportOne(Model):
    """One export."""

    data: Export


class ExportList(Model):
    """Exports, newest first."""

    data: list[Export]
    page: PageInfo


@blueprint.post("")
@blueprint.input(ExportBody)
@answers_with(
    blueprint, ExportOne, "unknown_parameter", "invalid_value", "invalid_body", "unsupported_media_type",
    "invalid_range", "missing_scope", "not_regional", "too_many_jobs", "exports_unavailable", *STARTING,
    status=202,
)  # fmt: skip
@starts_job(blueprint)
@requires("analytics:read")
def post_export(json_data: ExportBody) -> Response:
    """Have a whole answer written into a file, however many rows it has."""
    caller = principal()
    _refuse_parts(json_data)
    address = checked_address(json_data.path, _pairs(json_data), json_data.format, caller)
    _check_room()
    asked = json_data.model_dump() | {"address": address, "caller": _kept(caller)}
    new = job_answers.new_job("export", asked, most=MOST_IN_FLIGHT)
    launch = jobs.Launch("export", {})
    job, is_replayed = jobs.start(new, launch, job_answers.idempotency_key())
    return job_answers.answer(_written(job), status=202, is_replayed=is_replayed)


@blueprint.get("")
@blueprint.input(JobPage, location="query")
@answers_with(blueprint, ExportList, *LISTING)
@requires("analytics:read")
def get_exports(query_data: JobPage) -> Response:
    """The caller's exports, newest first; an admin sees everybody's."""
    caller = principal()
    return job_answers.listed(_KINDS, query_data, _written, None if _is_admin(caller) else caller.id)


@blueprint.get("/<uuid:export_id>")
@answers_with(blueprint, ExportOne, "database_unavailable")
@requires("analytics:read")
def get_export(export_id: UUID) -> Response:
    """One export as it is now."""
    return job_answers.answer(_written(_own(export_id)))


@blueprint.get("/<uuid:export_id>/file")
@answers_with(blueprint, ExportOne, "region_not_allowed", "database_unavailable")
@gives_file(blueprint, [MEDIA_TYPES[name] for name in _FORMATS])
@requires("analytics:read")
def get_export_file(export_id: UUID) -> Response:
    """The finished file, for a week."""
    job = _own(export_id)
    allowed, made_for = principal().regions, job["request"]["caller"]["regions"]
    if allowed is not None and (made_for is None or not set(made_for) <= set(allowed)):
        raise Problem("region_not_allowed", "The file has regions that the caller may not read any more.")
    path = _path(job)
    format: FileFormat = job["request"]["format"]
    if _file(job) is None or not path.is_file():
        raise Problem("not_found", f"The export {export_id} has no file: it is not ready, or was removed.")
    response = send_file(
        path,
        mimetype=MEDIA_TYPES[format],
        as_attachment=True,
        download_name=download_name(job["request"]["path"], format),
        etag=job["result"]["sha256"],
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.delete("/<uuid:export_id>")
@answers_with(blueprint, ExportOne, *CANCELING, status=202)
@requires("analytics:read")
def delete_export(export_id: UUID) -> Response:
    """Cancel an export, or remove its file."""
    job = _own(export_id)
    if job["status"] in IN_FLIGHT:
        job = jobs.cancel(_KINDS, export_id)
    elif _file(job) is None:
        raise Problem("job_finished", f"The export {export_id} has ended and has no file.")
    else:
        with services().database.writing() as connection:
            add_result(connection, export_id, {"is_removed": True})
        # Where the service may not remove it, the daily cleanup does.
        with suppress(OSError):
            _path(job).unlink(missing_ok=True)
        job = jobs.find(_KINDS, export_id)
    return job_answers.answer(_written(job), status=202)


def _own(export_id: UUID) -> Job:
    """An export of the caller's.

    Raises:
        Problem: there is none; whether somebody else has one is nobody's business.
    """
    job = jobs.follow(_KINDS, export_id)
    caller = principal()
    if not _is_admin(caller) and job["principal_id"] != caller.id:
        raise Problem("not_found", f"There is no export {export_id}.")
    return job


def _is_admin(caller: Principal) -> bool:
    return "admin" in caller.scopes


def _refuse_parts(asked: ExportBody) -> None:
    for name in _NOT_OF_FILES:
        if name in asked.query:
            detail = (
                f"{name} does not go with an export: its file is complete, and `format` is beside `query`"
            )
            raise Problem(
                "invalid_value",
                f"In the body: query: {detail}.",
                errors=[{"parameter": "query", "code": "invalid_value", "detail": detail}],
            )


def _check_room() -> None:
    folder = services().settings.exports_folder
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    if shutil.disk_usage(there).free < LEAST_FREE_BYTES:
        raise Problem("exports_unavailable", "The disk for exports has less than 1 GB free.")


def _pairs(asked: ExportBody) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, given in asked.query.items()
        for value in ([given] if isinstance(given, str) else given)
    ]


def _kept(caller: Principal) -> dict[str, Any]:
    """What the job must know of the caller: it answers as that caller, and sees no more."""
    return {"name": caller.name, "scopes": sorted(caller.scopes), "regions": caller.regions}


def _path(job: Job) -> Path:
    return services().settings.exports_folder / f"{job['job_id']}.{job['request']['format']}"


def _file(job: Job) -> dict[str, Any] | None:
    result = job["result"]
    if job["status"] != "succeeded" or result.get("is_removed"):
        return None
    return {name: result[name] for name in ExportedFile.model_fields}


def _written(job: Job) -> dict[str, Any]:
    found = job_answers.written(job, "/api/v1/exports", "export_failed")
    file = _file(job)
    if file is not None:
        found["links"]["file"] = f"{found['links']['self']}/file"
    return found | {name: job["request"][name] for name in ("path", "query", "format")} | {"file": file}
