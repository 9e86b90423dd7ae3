"""The OpenAPI document: what each route answers, and the finish that the generator lacks."""

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint, APIFlask
from pydantic import BaseModel

from api.models import ProblemModel
from api.problems import EVERYWHERE, PROBLEM_TYPES
from api.responses import PROBLEM_JSON

_CODES = "x-problem-codes"
_METHODS = ("get", "post", "put", "patch", "delete")

View = Callable[..., Any]


def answers_with(
    blueprint: APIBlueprint, model: type[BaseModel], *codes: str, status: int = 200
) -> Callable[[View], View]:
    """Document what a view answers: the form of success, and the problems of its own by their codes."""

    def decorate(view: View) -> View:
        described: View = blueprint.doc(extensions={_CODES: list(codes)})(view)
        documented: View = blueprint.output(model, status_code=status)(described)
        return documented

    return decorate


def register(app: APIFlask) -> None:
    """Finish the document whenever it is generated."""
    app.spec_processor(_finish)


def _finish(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
    assert isinstance(spec, dict)
    components = spec.setdefault("components", {}).setdefault("schemas", {})
    _add_problem_schema(components)
    for path in spec["paths"].values():
        for method in _METHODS:
            if method in path:
                _finish_operation(path[method])
    return spec


def _finish_operation(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        schema = parameter["schema"] = _without_null(parameter["schema"])
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        # Pydantic's titles repeat the names.
        schema.pop("title", None)
    codes = [*operation.get(_CODES, ()), *EVERYWHERE]
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEM_TYPES[code].status, []).append(code)
    for status, of_status in sorted(by_status.items()):
        operation["responses"][str(status)] = _problem_response(of_status)
    if "202" in operation["responses"]:
        operation["responses"]["202"]["headers"] = {
            "Location": {"schema": {"type": "string"}, "description": "The job."},
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until it may change."},
        }
    if "requestBody" in operation:
        operation["requestBody"]["required"] = False


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
    return response


def _add_problem_schema(components: dict[str, Any]) -> None:
    schema = ProblemModel.model_json_schema(ref_template="#/components/schemas/Problem.{model}")
    for name, nested in schema.pop("$defs", {}).items():
        components[f"Problem.{name}"] = nested
    schema["title"] = "Problem"
    components["Problem"] = schema
