"""Health, documentation, and what every answer has in common."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import close, create_app
from api.problems import PROBLEM_TYPES
from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls, connect
from tests.api.conftest import UNDOCUMENTED, StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.conftest import Warehouse

NOWHERE = DatabaseUrls(*["postgresql://nobody@127.0.0.1:1/nothing"] * 4)


def test_healthz_asks_nobody(settings: Settings) -> None:
    app = create_app(settings, NOWHERE)
    assert app.test_client().get("/healthz").json == {"status": "ok"}


def test_without_postgres_every_read_says_so(settings: Settings) -> None:
    app = create_app(settings, NOWHERE)
    app.test_client_class = StrictClient
    try:
        for path in ("/api/v1/revenue/total", "/api/v1/builds", "/readyz"):
            response = app.test_client().get(path)
            assert response.json is not None
            assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
            assert response.headers["Retry-After"] == "5"
            assert "nobody" not in response.text
    finally:
        close(app)


def test_readyz_names_the_state_of_every_part(
    make_client: Callable[..., StrictClient], client: StrictClient, golden: int
) -> None:
    def states(of: FlaskClient) -> tuple[int, dict[str, str]]:
        response = of.get("/readyz")
        assert response.json is not None
        return response.status_code, {name: part["status"] for name, part in response.json["parts"].items()}

    assert states(make_client(FakeDagster())) == (200, {"postgres": "ok", "numbers": "ok", "dagster": "ok"})
    assert states(client) == (200, {"postgres": "ok", "numbers": "ok", "dagster": "down"})


def test_readyz_says_when_dagster_has_not_read_its_code_location(
    make_client: Callable[..., StrictClient], golden: int
) -> None:
    fake = FakeDagster()
    fake.has_location = False
    response = make_client(fake).get("/readyz")
    assert response.json is not None
    assert response.json["parts"]["dagster"] == {
        "status": "down",
        "detail": "Dagster runs, but its code location does not answer. "
        "Numbers can be read, refreshes cannot be started.",
    }


def test_readyz_is_ready_before_the_first_numbers(client: StrictClient) -> None:
    response = client.get("/readyz")
    assert response.json is not None
    assert (response.status_code, response.json["parts"]["numbers"]["status"]) == (200, "none_yet")


def test_a_slow_question_is_stopped(
    make_client: Callable[..., StrictClient], warehouse: Warehouse, golden: int
) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute("alter table marts.revenue_daily rename to revenue_daily_table")
        connection.execute(
            "create view marts.revenue_daily as"
            " select revenue_daily_table.* from marts.revenue_daily_table, pg_sleep(3)"
        )
        connection.execute("grant select on marts.revenue_daily to tillhouse_reader")
    response = make_client(statement_timeout_seconds=1).get("/api/v1/revenue/total")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (503, "query_timeout")
    assert response.headers["Retry-After"] == "30"


def test_the_reader_can_write_nothing(client: StrictClient) -> None:
    import psycopg

    database = client.application.extensions["tillhouse"].database
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.snapshot() as connection:
        connection.execute("create table core.mine ()")


def test_a_fault_is_a_problem_without_its_trace(
    client: StrictClient, golden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("api.resources.revenue.answer", fail)
    response = client.get("/api/v1/revenue/total")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/api/v1/revenue/", "/api//v1/revenue", "/static/x", "/docs/index.html", "/docs/../app.py"],
)
def test_what_is_not_there_is_a_problem(client: StrictClient, path: str) -> None:
    response = client.get(path)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (404, "not_found")


def test_another_method_is_a_problem_that_names_the_right_ones(client: StrictClient) -> None:
    response = client.delete("/api/v1/revenue")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


def test_no_route_ignores_an_unknown_parameter(client: StrictClient) -> None:
    for rule in client.application.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        path = re.sub(r"<uuid:[^>]+>", "00000000-0000-0000-0000-000000000000", rule.rule)
        path = re.sub(r"<[^>]+>", "1", path)
        response = client.get(f"{path}?surely_unknown=1")
        if response.mimetype == "text/html":
            assert "Unknown parameter &#39;surely_unknown&#39;" in response.text, path
            continue
        assert response.json is not None, path
        assert (response.status_code, response.json["code"]) == (400, "unknown_parameter"), path


def test_every_answer_has_the_protective_headers(client: StrictClient) -> None:
    for path in ("/api/v1", "/docs", "/nothing", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Request-Id"]


def test_the_docs_page_and_all_it_needs_come_from_here(client: StrictClient) -> None:
    page = client.get("/docs").text
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(needed) == 4
    for path in needed:
        assert path.startswith("/docs/")
        assert client.get(path).status_code == 200
    assert "http" not in page
    assert "<script>" not in page


def test_the_lineage_is_served_once_it_is_made(client: StrictClient, settings: Settings) -> None:
    assert client.get("/lineage").status_code == 404
    folder = settings.home / "dbt_docs"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<html>models</html>")
    response = client.get("/lineage")
    assert (response.status_code, response.text) == (200, "<html>models</html>")
    response.close()


def test_the_index_links_to_routes_that_are_there(client: StrictClient) -> None:
    index = client.get("/api/v1").json
    assert index is not None
    known = {rule.rule for rule in client.application.url_map.iter_rules()}
    # The dashboard is mounted beside the API (tests/api/dashboard).
    assert set(index["links"].values()) <= known | {"/"}
    assert {"revenue", "products", "customers", "orders", "imports", "exports", "metrics"} <= set(
        index["links"]
    )


def test_every_route_parameter_and_problem_is_documented(client: StrictClient) -> None:
    spec = client.get("/openapi.json").json
    assert spec is not None
    assert spec["openapi"] == "3.1.0"
    codes: set[str] = set()
    operations: set[tuple[str, str]] = set()
    names = []
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            operations.add((path, method.upper()))
            names.append(operation["operationId"])
            assert operation["summary"]
            for parameter in operation["parameters"]:
                assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])
            for response in operation["responses"].values():
                codes.update(re.findall(r"^- `(\w+)`", response["description"], re.MULTILINE))
    served = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method)
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {path for path, _ in served - operations} == UNDOCUMENTED
    assert len(set(names)) == len(names)
    # Failed jobs carry these inside.
    in_jobs = {"refresh_failed", "import_failed", "export_failed", "file_refused"}
    assert set(PROBLEM_TYPES) - codes == in_jobs


def test_every_kind_of_problem_is_described_at_its_type(client: StrictClient) -> None:
    for problem in PROBLEM_TYPES.values():
        found = client.get(problem.uri).json
        assert found is not None
        assert found["data"]["code"] == problem.code
    assert client.get("/problems/none").status_code == 404


def test_the_openapi_document_is_well_formed(client: StrictClient) -> None:
    spec = client.get("/openapi.json").json
    assert spec is not None
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', client.get("/openapi.json").text):
        assert reference in spec["components"]["schemas"]
