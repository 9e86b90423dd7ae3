"""Health: is the process alive, and can it do its work."""

from typing import Any

import psycopg
from apiflask import APIBlueprint
from flask import Response
from psycopg_pool import PoolTimeout

from api.access import public
from api.dagster import DagsterUnavailable
from api.documented import answers_with
from api.problems import Problem
from api.responses import json_response
from api.services import services
from pipeline.answers.builds import current_build
from pipeline.answers.errors import QueryError
from pipeline.answers.models import Model

blueprint = APIBlueprint("health", __name__, tag="Health")


class Alive(Model):
    """The process answers."""

    status: str


class Part(Model):
    """One part and how it is: `ok`, `down` or, for the numbers, `none_yet`."""

    status: str
    detail: str | None


class Readiness(Model):
    """Ready when reads can be answered; refreshes need Dagster too."""

    status: str
    parts: dict[str, Part]


@blueprint.get("/healthz")
@answers_with(blueprint, Alive)
@public
def get_healthz() -> Response:
    """Whether the process answers; asks nothing of anybody else."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
@answers_with(blueprint, Readiness, "database_unavailable")
@public
def get_readyz() -> Response:
    """Whether reads can be answered, and how each part is."""
    parts = {**_database_and_numbers(), "dagster": _dagster()}
    if parts["postgres"]["status"] != "ok":
        raise Problem("database_unavailable", "Postgres does not answer.", extra={"parts": parts})
    return json_response({"status": "ready", "parts": parts})


def _database_and_numbers() -> dict[str, dict[str, Any]]:
    try:
        with services().database.snapshot() as connection:
            build = current_build(connection)
    except QueryError as error:
        return {"postgres": _part("ok"), "numbers": _part("none_yet", error.detail)}
    except (psycopg.OperationalError, PoolTimeout):
        down = _part("down", "Postgres does not answer.")
        return {"postgres": down, "numbers": down}
    return {"postgres": _part("ok"), "numbers": _part("ok", f"build {build.build_id}")}


def _dagster() -> dict[str, Any]:
    try:
        services().dagster.check()
    except DagsterUnavailable as error:
        return _part("down", f"{error.detail} Numbers can be read, refreshes cannot be started.")
    return _part("ok")


def _part(status: str, detail: str | None = None) -> dict[str, Any]:
    return {"status": status, "detail": detail}
