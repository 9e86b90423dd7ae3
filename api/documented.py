"""The OpenAPI document: what each route answers, and the finish that the generator lacks."""

from collections.abc import Callable, Mapping
from typing import Any

from apiflask import APIBlueprint, APIFlask
from pydantic import BaseModel

from api import documented_jobs
from api.access import Needs
from api.documented_access import CHALLENGE, SECURITY_SCHEMES, Operation, describe, needs_of_operations
from api.problems import EVERYWHERE, PROBLEM_TYPES
from api.responses import PROBLEM_JSON
from pipeline.answers.exporting import MEDIA_TYPES
from pipeline.answers.models import ProblemModel

_CODES = "x-problem-codes"
_FORMATS = "x-formats"

# What every analysis may answer, and what those with pages may besides.
READING = (
    "invalid_parameter", "invalid_value", "invalid_range", "region_not_allowed", "not_acceptable",
    "export_too_large", "no_build", "database_unavailable", "query_timeout",
)  # fmt: skip
PAGING = ("invalid_cursor", "stale_cursor")
_METHODS = ("get", "post", "put", "patch", "delete")

View = Callable[..., Any]


def answers_with(
    blueprint: APIBlueprint, model: type[BaseModel], *codes: str, status: int = 200
) -> Callable[[View], View]:
    """Document what a view answers: the form of success, and the problems of its own by their codes."""

    def decorate(view: View) -> View:
        told = getattr(view, "_spec", {}).get("extensions", {})
        described: View = blueprint.doc(extensions={**told, _CODES: list(codes)})(view)
        documented: View = blueprint.output(model, status_code=status)(described)
        return documented

    return decorate


def analysis(blueprint: APIBlueprint, model: type[BaseModel], *codes: str) -> Callable[[View], View]:
    """Document an analysis, which comes in every format; ``codes`` are those besides ``READING``."""
    documented = answers_with(blueprint, model, *READING, *codes)
    return lambda view: documented(blueprint.doc(extensions={_FORMATS: True})(view))


def comes_in_every_format(view: View) -> bool:
    """Whether a view is an analysis."""
    spec: dict[str, Any] = getattr(view, "_spec", {})
    return bool((spec.get("extensions") or {}).get(_FORMATS))


def register(app: APIFlask) -> None:
    """Finish the document whenever it is generated."""
    app.spec_processor(lambda spec: _finish(spec, needs_of_operations(app)))


def _finish(spec: dict[Any, Any] | str, needs: Mapping[Operation, Needs]) -> dict[Any, Any] | str:
    assert isinstance(spec, dict)
    components = spec.setdefault("components", {}).setdefault("schemas", {})
    _add_problem_schema(components)
    spec["components"]["securitySchemes"] = SECURITY_SCHEMES
    for path, operations in spec["paths"].items():
        for method in _METHODS:
            if method in operations:
                codes = describe(operations[method], needs[path, method], is_write=method != "get")
                _finish_operation(operations[method], codes)
    return spec


def _finish_operation(operation: dict[str, Any], of_access: list[str]) -> None:
    for parameter in operation["parameters"]:
        schema = parameter["schema"] = _without_null(parameter["schema"])
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        # Pydantic's titles repeat the names.
        schema.pop("title", None)
    codes = dict.fromkeys([*operation.get(_CODES, ()), *of_access, *EVERYWHERE])
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEM_TYPES[code].status, []).append(code)
    for status, of_status in sorted(by_status.items()):
        operation["responses"][str(status)] = _problem_response(of_status)
    if operation.pop(_FORMATS, False):
        _add_formats(operation["responses"])
    if "202" in operation["responses"]:
        operation["responses"]["202"]["headers"] = {
            "Location": {"schema": {"type": "string"}, "description": "The job."},
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until it may change."},
        }
    if "requestBody" in operation:
        operation["requestBody"]["required"] = False
    documented_jobs.finish(operation)


def _add_formats(responses: dict[str, Any]) -> None:
    for media_type in MEDIA_TYPES.values():
        responses["200"]["content"].setdefault(media_type, {"schema": {"type": "string", "format": "binary"}})
    responses["200"]["headers"] = {
        "ETag": {"schema": {"type": "string"}, "description": "Send it as If-None-Match the next time."},
        "X-Build-Id": {"schema": {"type": "integer"}, "description": "The build of the numbers."},
    }
    responses["304"] = {"description": "The numbers are as they were when the ETag was given."}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A query cannot say null: it leaves the parameter out.
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    return {**choices[0], **rest}


def _problem_response(codes: list[str]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {PROBLEM_TYPES[code].meaning}" for code in codes),
        "content": {
            PROBLEM_JSON: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {"type": "object", "properties": {"code": {"enum": codes}}},
                    ]
                }
            }
        },
    }
    if any(PROBLEM_TYPES[code].retry_after is not None for code in codes):
        response["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        }  # fmt: skip
    if any(PROBLEM_TYPES[code].status == 401 for code in codes):
        response["headers"] = CHALLENGE
    return response


def _add_problem_schema(components: dict[str, Any]) -> None:
    schema = ProblemModel.model_json_schema(ref_template="#/components/schemas/Problem.{model}")
    for name, nested in schema.pop("$defs", {}).items():
        components[f"Problem.{name}"] = nested
    schema["title"] = "Problem"
    components["Problem"] = schema
