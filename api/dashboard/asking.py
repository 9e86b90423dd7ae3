"""Asking the API from within: the pages show what its routes answer to the caller, and nothing else."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from flask import current_app, g, request

from api.access import JOB, principal

Value = str | int | bool | Sequence[str] | None
Query = Mapping[str, Value]


_NOT_JSON = {"code": "not_found", "title": "Not found", "detail": "This address answers no figures."}


class Refused(Exception):
    """A route answered with a problem; its title and detail are for people."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.code = str(problem["code"])
        self.title = str(problem["title"])
        self.detail = str(problem["detail"])


@dataclass(frozen=True)
class Answered:
    """What a route answered: its members, and the address of the whole answer, without its pages."""

    data: Any
    meta: Mapping[str, Any]
    page: Mapping[str, Any]
    address: str


def address_of(path: str, query: Query | None = None) -> str:
    """A route with its parameters; those that are None or empty are left out."""
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (query or {}).items()
        if value is not None and value != [] and value != ()
    }
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def ask(path: str, query: Query | None = None) -> Answered:
    """The answer of a GET route to the caller of this request.

    Raises:
        Refused: the route answers with a problem.
    """
    found = ask_address(address_of(path, query))
    whole = {name: value for name, value in (query or {}).items() if name not in ("limit", "cursor")}
    return replace(found, address=address_of(path, whole))


def ask_address(address: str) -> Answered:
    """The answer of a GET route of the API with its parameters.

    Raises:
        Refused: the route answers with a problem.
    """
    if not address.startswith("/api/v1/") or "#" in address:
        raise Refused(_NOT_JSON)
    found = _sent("GET", address)
    return Answered(found.get("data"), found.get("meta", {}), found.get("page", {}), address)


def post(path: str, query: Query | None = None, body: Mapping[str, Any] | None = None) -> Any:
    """The ``data`` that a POST route answers with, asked as the caller of this request.

    Raises:
        Refused: the route answers with a problem.
    """
    return _sent("POST", address_of(path, query), json=body or {})["data"]


def ask_all(path: str, query: Query | None = None) -> list[dict[str, str]]:
    """Every row that a GET route has, as its file has them: for what no page of an answer holds.

    Raises:
        Refused: the route answers with a problem.
    """
    with _asked("GET", address_of(path, {**(query or {}), "format": "csv"})) as response:
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise Refused(response.get_json())
        return list(csv.DictReader(StringIO(response.text)))


def _sent(method: str, address: str, **content: Any) -> Mapping[str, Any]:
    with _asked(method, address, **content) as response:
        found = response.get_json(silent=True)
        if not isinstance(found, dict):
            raise Refused(_NOT_JSON)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise Refused(found)
        return found


@contextmanager
def _asked(method: str, address: str, **content: Any) -> Iterator[Any]:
    client = current_app.test_client(use_cookies=False)
    headers = {"X-Request-Id": g.request_id}
    caller = {JOB: principal(), "REMOTE_ADDR": request.remote_addr}
    # A context of its own: what the inner request notes in ``g`` is not the page's.
    with (
        current_app.app_context(),
        client.open(address, method=method, headers=headers, environ_overrides=caller, **content) as response,
    ):
        yield response
