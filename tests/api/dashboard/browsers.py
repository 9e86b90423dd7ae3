"""Browsers for tests of the pages: clients with cookies, that may sign in."""

from typing import Any

from flask import Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.access import page, principal, requires
from api.dashboard.plain_pages import problem_page
from api.problems import shown_by
from tests.api.accounts import PASSWORD
from tests.api.conftest import StrictClient

COOKIE = "tillhouse_session"
BOARD, BOARD_DATA = "/board", "/board/data"


def sign_in(
    client: FlaskClient, name: str = "anna", password: str = PASSWORD, **options: Any
) -> TestResponse:
    """Send the form as a browser does, from a page of the service."""
    form = {"username": name, "password": password} | options.pop("form", {})
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"} | options.pop("headers", {})
    return client.post("/sign-in", data=form, headers=headers, **options)


def cookie_of(client: FlaskClient) -> str | None:
    """What the browser keeps of its sign-in."""
    found = client.get_cookie(COOKIE)
    return found.value if found else None


def with_cookie(client: FlaskClient, value: str) -> FlaskClient:
    """Another browser of the same app, that has this cookie."""
    other = FlaskClient(client.application, client.application.response_class)
    other.set_cookie(COOKIE, value)
    return other


def with_board(client: StrictClient) -> FlaskClient:
    """A browser of an app with two more routes, as the dashboard has them: a page, and what it asks for."""

    def board() -> Response:
        return Response(f"page of {principal().name}")

    def board_data() -> Response:
        return Response(f"data of {principal().name}")

    app = client.application
    app.add_url_rule(BOARD, "board", shown_by(problem_page)(page("analytics:read", regional=False)(board)))
    declared = requires("analytics:read", by_cookie=True)(board_data)
    app.add_url_rule(BOARD_DATA, "board_data", declared, methods=["GET", "POST"])
    return FlaskClient(app, app.response_class)
