"""Definitions: each measure in words and as a formula."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.access import public
from api.documented import answers_with
from api.problems import PROBLEM_TYPES, Problem
from api.responses import json_response
from pipeline.answers.measures import MEASURES
from pipeline.answers.models import Model

blueprint = APIBlueprint("definitions", __name__, tag="About")


class Definition(Model):
    """One measure."""

    name: str
    kind: str
    is_additive: bool
    words: str
    formula: str


class Definitions(Model):
    """Every measure."""

    data: list[Definition]


class ProblemDefinition(Model):
    """One kind of problem."""

    code: str
    status: int
    title: str
    meaning: str


class ProblemOne(Model):
    """One kind of problem."""

    data: ProblemDefinition


@blueprint.get("/api/v1/definitions")
@answers_with(blueprint, Definitions)
@public
def get_definitions() -> Response:
    """Every measure, defined."""
    rows: list[dict[str, Any]] = [
        {
            "name": measure.name,
            "kind": measure.kind,
            "is_additive": measure.is_additive,
            "words": measure.words,
            "formula": measure.formula,
        }
        for measure in MEASURES
    ]
    return json_response({"data": rows})


@blueprint.get("/problems/<code>")
@answers_with(blueprint, ProblemOne)
@public
def get_problem(code: str) -> Response:
    """What a problem's `type` leads to."""
    found = PROBLEM_TYPES.get(code)
    if found is None:
        raise Problem("not_found", "There is no such kind of problem; /openapi.json lists them all.")
    return json_response(
        {
            "data": {
                "code": found.code,
                "status": found.status,
                "title": found.title,
                "meaning": found.meaning,
            }
        }
    )
