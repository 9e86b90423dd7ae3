"""What the OpenAPI document says of requests that start a job."""

from collections.abc import Callable, Sequence
from typing import Any

from apiflask import APIBlueprint

_STARTS = "x-starts-job"
_TAKES = "x-takes"
_GIVES = "x-gives-file"
_BESIDE_JSON = "x-beside-json"
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": "The same key with the same request is answered with the same job.",
}
_REPLAYED = {"schema": {"enum": ["true"]}, "description": "There when an earlier request got this job."}


def starts_job(
    blueprint: APIBlueprint, takes: dict[str, Any] | None = None, *, needs_body: bool = True
) -> Callable[[Any], Any]:
    """Document a view that starts a job; ``takes`` is the content of a body that it reads itself."""
    body = None if takes is None else {"required": needs_body, "content": takes}

    def decorate(view: Any) -> Any:
        return blueprint.doc(extensions={_STARTS: True, _TAKES: body})(view)

    return decorate


def gives_file(
    blueprint: APIBlueprint, media_types: Sequence[str], *, beside_json: bool = False
) -> Callable[[Any], Any]:
    """Document a view whose answer is a file of one of these kinds, or JSON if it says so."""

    def decorate(view: Any) -> Any:
        return blueprint.doc(extensions={_GIVES: media_types, _BESIDE_JSON: beside_json})(view)

    return decorate


def finish(operation: dict[str, Any]) -> None:
    """Finish an operation that starts a job, or gives the file that one made."""
    media_types = operation.pop(_GIVES, None)
    if media_types is not None:
        schema = {"schema": {"type": "string", "format": "binary"}}
        files = dict.fromkeys(media_types, schema)
        if operation.pop(_BESIDE_JSON):
            operation["responses"]["200"]["content"] |= files
        else:
            operation["responses"]["200"]["content"] = files
            operation["responses"]["304"] = {"description": "The file is the one whose ETag was sent."}
    takes = operation.pop(_TAKES, None)
    if takes is not None:
        operation["requestBody"] = takes
    if operation.pop(_STARTS, False):
        operation["parameters"].append(_KEY)
        operation["responses"]["202"]["headers"]["Idempotent-Replayed"] = _REPLAYED
