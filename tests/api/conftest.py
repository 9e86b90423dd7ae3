"""The API over published tables, with a client that minds the documentation."""

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from api.access import needs_of
from api.app import close, create_app
from api.dagster import Dagster
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.fake_dagster import FakeDagster
from tests.api.published import Line, golden_lines, publish, random_lines
from tests.conftest import Warehouse

# Pages for people and their files, which the OpenAPI document leaves out. A new one has to be put here.
UNDOCUMENTED = {"/docs/{name}", "/sign-in", "/sign-out"}
_document: dict[str, Any] = {}


class StrictClient(FlaskClient):
    """A client that fails a test when an answer is not the documented one."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        check_documented(self.application, response)
        return response


def document(app: Any) -> dict[str, Any]:
    """The OpenAPI document, made once: it takes a while, and no setting changes it."""
    if not _document:
        _document.update(app.spec)
    return _document


def check_documented(app: Any, response: TestResponse) -> None:
    """The status, the form of the body and the problem's code are in the OpenAPI document."""
    spec = document(app)
    adapter = app.url_map.bind("localhost")
    try:
        rule, _ = adapter.match(response.request.path, method=response.request.method, return_rule=True)
    except Exception:
        rule = None
    if response.request.method == "HEAD":
        return
    if rule is not None and needs_of(app.view_functions[rule.endpoint]).is_page:
        assert response.mimetype == "text/html"
        return
    if response.status_code >= 400:
        assert response.content_type == "application/problem+json", response.data
        assert response.json is not None
        assert response.json["status"] == response.status_code
        assert response.json["request_id"] == response.headers["X-Request-Id"]
    if rule is None or response.request.method == "OPTIONS":
        return
    path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
    if path in UNDOCUMENTED:
        return
    documented = spec["paths"][path][response.request.method.lower()]["responses"][str(response.status_code)]
    if response.status_code == 304:
        return
    media_type = response.mimetype
    schema = documented["content"][media_type].get("schema")
    if schema and response.is_json:
        whole = {**schema, "components": spec["components"]}
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator(whole, format_checker=checker).validate(response.json)


def no_dagster(request: httpx.Request) -> httpx.Response:
    """A Dagster that does not answer."""
    raise httpx.ConnectError("refused", request=request)


@pytest.fixture
def make_client(warehouse: Warehouse) -> Iterator[Callable[..., StrictClient]]:
    """A maker of clients over the test's database; takes settings and a stand-in for Dagster."""
    apps = []

    def make(
        answer_of_dagster: Callable[[httpx.Request], httpx.Response] = no_dagster, **changed: Any
    ) -> StrictClient:
        settings = warehouse.settings.model_copy(update=changed)
        dagster = Dagster("http://dagster.test", transport=httpx.MockTransport(answer_of_dagster))
        app = create_app(settings, warehouse.urls, dagster)
        app.test_client_class = StrictClient
        apps.append(app)
        client = app.test_client()
        assert isinstance(client, StrictClient)
        return client

    yield make
    for app in apps:
        close(app)


@pytest.fixture
def client(make_client: Callable[..., StrictClient]) -> StrictClient:
    """A client of an API without Dagster."""
    return make_client()


@pytest.fixture
def fake() -> FakeDagster:
    """A stand-in for Dagster."""
    return FakeDagster()


@pytest.fixture
def caller(make_client: Callable[..., StrictClient], fake: FakeDagster) -> StrictClient:
    """A client of an API before that stand-in."""
    return make_client(fake)


@pytest.fixture
def publish_lines(warehouse: Warehouse) -> Callable[[list[Line]], int]:
    """Publish lines as a new build; gives its id."""

    def make(lines: list[Line]) -> int:
        with connect(warehouse.urls.owner) as connection:
            return publish(connection, lines)

    return make


@pytest.fixture
def golden(publish_lines: Callable[[list[Line]], int]) -> int:
    """The six lines are published; the id of their build."""
    return publish_lines(golden_lines())


@pytest.fixture
def many_lines(publish_lines: Callable[[list[Line]], int]) -> list[Line]:
    """Six hundred hard lines are published."""
    lines = random_lines(Random(7), 600)
    publish_lines(lines)
    return lines


@pytest.fixture
def settings(warehouse: Warehouse) -> Settings:
    """The settings of the test's warehouse."""
    return warehouse.settings


@pytest.fixture
def accounts(warehouse: Warehouse) -> Accounts:
    """The accounts of the test's warehouse, and the key of their tokens."""
    return Accounts(warehouse)
