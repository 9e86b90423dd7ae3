"""Parameters and bodies: everything is checked, nothing is ignored."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, get_origin

from annotated_types import MaxLen, MinLen
from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Flask, Request, request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from api.problems import Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
# Of all that is wrong with a request, what its answer tells.
MOST_ERRORS = 10

# Errors of pydantic that say "this cannot be read", in contrast to "this cannot be meant".
_MALFORMED_ENDINGS = ("_parsing", "_type", "_inclusive", "literal_error", "json_invalid", "extra_forbidden")
# The field that collects parameters of the form ``extra.NAME``; it is no parameter itself.
EXTRA = "extra"
COMMA_SEPARATED: dict[str, Any] = {"x-comma-separated": True}
_ANY_QUERY = "_tillhouse_any_query"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a zero byte")
    return text


def _iso_date(value: object) -> object:
    # Pydantic alone would take a number as seconds since 1970.
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise PydanticCustomError("date_parsing", "must be an ISO date such as 2024-01-31")
    return value


Text = Annotated[str, MinLen(1), MaxLen(1000), AfterValidator(_without_nul)]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description=f"Rows of a page, up to {MAX_LIMIT}.")]
Cursor = Annotated[
    Text | None, Field(description="`page.next_cursor` of the page before; opaque.")
]  # fmt: skip


class Parameters(BaseModel):
    """The base of query parameters and bodies: what is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Parameters):
    """Where in a list, and how much of it."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


class StrictAdapter(PydanticAdapter):
    """Reads a request into a pydantic model, repeated parameters included."""

    def validate_input(self, request: Request, location: str, **kwargs: Any) -> BaseModel:
        """The model of a request's query, form or JSON body.

        Raises:
            Problem: 400 for what cannot be read, 415 for another kind of body, 422 for values that
                cannot be used.
        """
        try:
            if location == "query":
                return self.model_class.model_validate(_query_values(request, self.model_class))
            if location == "form":
                return self.model_class.model_validate(request.form.to_dict())
            return self.model_class.model_validate_json(_json_body(request))
        except ValidationError as error:
            raise problem_of(error.errors(include_url=False), location) from error


# Views are bound to the adapter when they are declared.
registry.register("pydantic", StrictAdapter)


def register(app: Flask) -> None:
    """Refuse query parameters that a route does not have."""

    @app.before_request
    def refuse_unknown_parameters() -> None:
        if request.endpoint is not None:
            _refuse_unknown(app.view_functions[request.endpoint])


def any_query(view: Any) -> Any:
    """Let a page's view have any query: it is the page that reads it, and says what it cannot use."""
    setattr(view, _ANY_QUERY, True)
    return view


def check_query(view: Any) -> None:
    """Check the current query as a view would, without running the view.

    Raises:
        Problem: a parameter is unknown or wrong.
    """
    _refuse_unknown(view)
    for model in _query_models(view):
        try:
            model.model_validate(_query_values(request, model))
        except ValidationError as error:
            raise problem_of(error.errors(include_url=False), "query") from error


def _refuse_unknown(view: Any) -> None:
    if hasattr(view, _ANY_QUERY):
        return
    known = {name for model in _query_models(view) for name in model.model_fields}
    has_extras = EXTRA in known
    known.discard(EXTRA)
    unknown = [name for name in request.args if name not in known and not (has_extras and _is_extra(name))]
    if unknown:
        choice = f"this route has {', '.join(sorted(known))}" if known else "this route has none"
        raise Problem(
            "unknown_parameter",
            f"Unknown parameter {', '.join(repr(name[:100]) for name in unknown[:MOST_ERRORS])}: {choice}.",
            errors=[
                {"parameter": name[:100], "code": "unknown_parameter", "detail": choice}
                for name in unknown[:MOST_ERRORS]
            ],
        )


def _query_models(view: Any) -> list[type[BaseModel]]:
    spec: Mapping[str, Any] = getattr(view, "_spec", {})
    return [model for model, location in spec.get("args") or () if location == "query"]


def _query_values(request: Request, model: type[BaseModel]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        if _is_extra(name) and EXTRA in model.model_fields:
            values.setdefault(EXTRA, {})[name.removeprefix(f"{EXTRA}.")] = given
            continue
        field = model.model_fields[name]
        if get_origin(field.annotation) is list:
            extra = field.json_schema_extra
            is_split = isinstance(extra, dict) and "x-comma-separated" in extra
            values[name] = [part for text in given for part in (text.split(",") if is_split else [text])]
        elif len(given) > 1:
            detail = "given more than once; it takes one value"
            raise Problem(
                "invalid_parameter",
                f"{name}: {detail}.",
                errors=[{"parameter": name, "code": "invalid_parameter", "detail": detail}],
            )
        else:
            values[name] = given[0]
    return values


def _is_extra(name: str) -> bool:
    """Whether a parameter is a filter by a column that only files have; the last part is its name."""
    return name.startswith(f"{EXTRA}.")


def _json_body(request: Request) -> bytes:
    body = request.get_data()
    if not body.strip():
        return b"{}"
    if not request.is_json:
        raise Problem(
            "unsupported_media_type",
            "Send the body as JSON, with the header Content-Type: application/json.",
            headers={"Accept-Post": "application/json"},
        )
    return body


def problem_of(found: list[ErrorDetails], location: str) -> Problem:
    """What pydantic found wrong with a ``query`` or another part of a request."""
    if any(item["type"] in ("json_invalid", "model_type") for item in found):
        return Problem("invalid_body", f"The body must be a JSON object: {found[0]['msg']}.")
    errors = [_error(item) for item in found[:MOST_ERRORS]]
    code = next((e["code"] for e in errors if e["code"] != "invalid_value"), "invalid_value")
    where = "query" if location == "query" else "body"
    detail = "; ".join(f"{error['parameter']}: {error['detail']}" for error in errors)
    return Problem(code, f"In the {where}: {detail}.", errors=errors)


def _error(item: ErrorDetails) -> dict[str, str]:
    if item["type"] == "extra_forbidden":
        code = "unknown_parameter"
    elif item["type"].endswith(_MALFORMED_ENDINGS):
        code = "invalid_parameter"
    else:
        code = "invalid_value"
    message = item["msg"].removeprefix("Value error, ")
    return {"parameter": str(item["loc"][0]) if item["loc"] else "", "code": code, "detail": message}
