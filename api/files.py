"""Files of whole answers: which routes they can be made of, and the making."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, current_app
from werkzeug.exceptions import HTTPException

from api.access import JOB, Principal, check, needs_of
from api.documented import comes_in_every_format
from api.parameters import check_query
from api.problems import Problem
from pipeline.answers.exporting import Format


@dataclass(frozen=True)
class Written:
    """A finished file and the build that its numbers come from."""

    size_bytes: int
    sha256: str
    build_id: int


def checked_address(path: str, query: Iterable[tuple[str, str]], format: Format, caller: Principal) -> str:
    """The address whose whole answer makes the file.

    Args:
        path: a GET route that comes in every format, as in ``/api/v1/orders``.
        query: its parameters, without ``format``, ``limit`` and ``cursor``.
        format: of the file.
        caller: who asks; what it may not read it may not export.

    Raises:
        Problem: no such route, a parameter is wrong, or the caller may not read it.
    """
    given = [*query, ("format", format)]
    # A path as it is matched is not yet one that can be asked for: order ids may hold anything.
    address = f"{quote(path)}?{urlencode(given)}"
    view = _view(path)
    check(caller, needs_of(view))
    refused = None
    with current_app.test_request_context(address):
        try:
            check_query(view)
        except Problem as problem:
            refused = problem
    # An error is answered by the request that is really there.
    if refused is not None:
        raise refused
    return address


def write_file(app: Flask, address: str, caller: Principal, to: Path) -> Written:
    """Ask the app for an address as a caller, and write the whole answer into a file.

    Raises:
        Problem: the answer is an error; its detail says which.
    """
    response = app.test_client().get(address, environ_overrides={JOB: caller}, buffered=False)
    try:
        if response.status_code != HTTPStatus.OK:
            problem = response.get_json()
            raise Problem(problem["code"], problem["detail"], errors=problem.get("errors", ()))
        digest, size = hashlib.sha256(), 0
        with to.open("wb") as file:
            for piece in response.iter_encoded():
                size += file.write(piece)
                digest.update(piece)
    finally:
        response.close()
    return Written(size, digest.hexdigest(), int(response.headers["X-Build-Id"]))


def _view(path: str) -> Any:
    try:
        endpoint, _ = current_app.url_map.bind("localhost").match(path, method="GET")
    except HTTPException as error:
        raise Problem("not_found", f"There is no GET route {path[:200]!r}.") from error
    view = current_app.view_functions[str(endpoint)]
    if not comes_in_every_format(view):
        raise Problem(
            "invalid_value",
            f"{path[:200]} comes in JSON alone: no file is made of it.",
            errors=[{"parameter": "path", "code": "invalid_value", "detail": "comes in JSON alone"}],
        )
    return view
