"""Who may call what: every route by every role, and callers limited to regions."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Response
from werkzeug.test import TestResponse

from api.access import _NEEDS, needs_of
from api.problems import PROBLEM_TYPES
from pipeline.accounts.principals import set_active, set_regions, set_role
from pipeline.accounts.roles import ROLES, Role
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import UNDOCUMENTED, StrictClient
from tests.api.fake_dagster import FakeDagster

MakeClient = Callable[..., StrictClient]
ME = "/api/v1/auth/me"

# Every route that is not a GET with the scope analytics:read. A new one has to be put here.
PUBLIC = {
    ("GET", "/api/v1"),
    ("GET", "/docs"),
    ("GET", "/docs/<name>"),
    ("GET", "/openapi.json"),
    ("GET", "/lineage"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/problems/<code>"),
    ("GET", "/api/v1/definitions"),
    ("POST", "/api/v1/auth/token"),
    ("POST", "/api/v1/auth/revoke"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
}
ANY_ACCOUNT = {("GET", ME)}
SCOPES = {
    ("POST", "/refresh"): "refresh:run",
    ("POST", "/api/v1/refreshes"): "refresh:run",
    ("GET", "/api/v1/refreshes/<uuid:refresh_id>/logs"): "refresh:run",
    ("DELETE", "/api/v1/refreshes/<uuid:refresh_id>"): "refresh:run",
    ("POST", "/api/v1/imports"): "data:write",
    ("GET", "/api/v1/imports"): "data:write",
    ("GET", "/api/v1/imports/<uuid:import_id>"): "data:write",
    ("DELETE", "/api/v1/imports/<uuid:import_id>"): "data:write",
    ("POST", "/api/v1/imports/<uuid:import_id>/load"): "data:write",
    ("GET", "/api/v1/imports/<uuid:import_id>/rejects"): "data:write",
    ("GET", "/api/v1/batches/<int:batch_id>/rejects"): "data:write",
    ("POST", "/api/v1/batches/<int:batch_id>/void"): "data:write",
    ("POST", "/api/v1/batches/<int:batch_id>/restore"): "data:write",
    ("POST", "/api/v1/batches/<int:batch_id>/replay"): "data:write",
    ("POST", "/api/v1/exports"): "analytics:read",
    ("DELETE", "/api/v1/exports/<uuid:export_id>"): "analytics:read",
}
# Those with the scope analytics:read that know nothing of regions.
NOT_REGIONAL = {
    "/api/v1/batches",
    "/api/v1/builds",
    "/api/v1/builds/<int:build_id>",
    "/api/v1/builds/<int:build_id>/changes",
    "/api/v1/customers/cohorts",
    "/api/v1/customers/lifetime-value",
    "/api/v1/customers/segments",
    "/api/v1/findings",
    "/api/v1/findings/builds",
    "/api/v1/findings/builds/<int:build_id>",
    "/api/v1/refreshes",
    "/api/v1/refreshes/<uuid:refresh_id>",
    "/api/v1/revenue/anomalies",
    "/metrics",
}


def routes(client: StrictClient) -> list[tuple[str, str, str]]:
    """Method, rule and endpoint of everything that is served."""
    return sorted(
        (method, rule.rule, rule.endpoint)
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def scope_of(method: str, rule: str) -> str | None:
    """The scope that a route should need; None for none."""
    if (method, rule) in PUBLIC | ANY_ACCOUNT:
        return None
    return SCOPES.get((method, rule), "analytics:read")


def call(client: StrictClient, method: str, rule: str, headers: dict[str, str] | None = None) -> TestResponse:
    path = re.sub(r"<uuid:[^>]+>", "00000000-0000-0000-0000-000000000000", rule)
    path = re.sub(r"<int:[^>]+>", "1", path)
    return client.open(re.sub(r"<[^>]+>", "none", path), method=method, headers=headers)


def code(response: TestResponse) -> str | None:
    return response.json["code"] if response.status_code >= 400 and response.json else None


def writes(accounts: Accounts) -> list[Any]:
    """What the service may write, the record of attempts and logins apart."""
    with connect(accounts.urls.owner) as connection:
        return connection.execute("select j::text from app.jobs j").fetchall()


@pytest.fixture
def client(make_client: MakeClient, fake: FakeDagster) -> StrictClient:
    """A client of an API with accounts."""
    return make_client(fake, accounts=True)


def test_every_route_says_what_it_needs_and_is_where_it_was_decided(client: StrictClient) -> None:
    for method, rule, endpoint in routes(client):
        view = client.application.view_functions[endpoint]
        assert hasattr(view, _NEEDS), rule
        needs = needs_of(view)
        assert needs.scope == scope_of(method, rule), (method, rule)
        assert needs.is_public == ((method, rule) in PUBLIC), (method, rule)
        assert method == "GET" or needs.is_public or (method, rule) in SCOPES, (method, rule)
        reads = needs.scope == "analytics:read"
        is_regional = rule not in NOT_REGIONAL if reads else needs.scope is None
        assert needs.is_regional == is_regional, (method, rule)


def test_a_view_that_says_nothing_is_for_admins_alone(client: StrictClient, accounts: Accounts) -> None:
    def forgotten() -> Response:
        return Response("open")

    client.application.add_url_rule("/forgotten", view_func=forgotten)
    for role, status in (("viewer", 403), ("analyst", 403), ("editor", 403), ("admin", 200)):
        headers = accounts.add(role, role)  # type: ignore[arg-type]
        with client.application.test_request_context("/forgotten", headers=headers):
            assert client.application.full_dispatch_request().status_code == status


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_let_in_where_its_scopes_reach_and_nowhere_else(
    client: StrictClient, fake: FakeDagster, accounts: Accounts, role: Role
) -> None:
    headers = accounts.add("anna", role)
    denied = [
        (method, rule)
        for method, rule, _ in routes(client)
        if scope_of(method, rule) not in {None, *ROLES[role]}
    ]
    for method, rule in denied:
        response = call(client, method, rule, headers)
        scope = scope_of(method, rule)
        assert (response.status_code, code(response)) == (403, "missing_scope"), rule
        assert response.headers["WWW-Authenticate"] == (
            f'Bearer realm="tillhouse", error="insufficient_scope", scope="{scope}"'
        )
    assert (writes(accounts), fake.runs) == ([], {})
    for method, rule, _ in routes(client):
        if (method, rule) not in denied and (method, rule) not in PUBLIC:
            assert call(client, method, rule, headers).status_code not in (401, 403), (method, rule)


def test_without_a_token_nothing_but_the_public_routes_is_served(
    client: StrictClient, fake: FakeDagster, accounts: Accounts
) -> None:
    for method, rule, _ in routes(client):
        response = call(client, method, rule)
        if (method, rule) in PUBLIC:
            assert response.status_code not in (401, 403), rule
        else:
            assert (response.status_code, code(response)) == (401, "unauthenticated"), rule
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="tillhouse"'
    assert (writes(accounts), fake.runs) == ([], {})


def test_a_caller_limited_to_regions_is_kept_out_of_what_knows_none(
    client: StrictClient, accounts: Accounts
) -> None:
    headers = accounts.add("anna", regions=("Europe",))
    for method, rule, _ in routes(client):
        if scope_of(method, rule) == "analytics:read":
            found = code(call(client, method, rule, headers))
            assert (found == "not_regional") == (rule in NOT_REGIONAL), rule
            assert found not in ("unauthenticated", "invalid_token", "missing_scope"), rule


def test_a_caller_limited_to_regions_sums_those_alone(
    client: StrictClient, accounts: Accounts, golden: int
) -> None:
    limited = accounts.add("anna", regions=("Europe", "Asia"))
    everything = accounts.add("bert")
    year = "start_date=2024-01-01&end_date=2024-12-31"

    def gross(headers: dict[str, str], query: str = "") -> Any:
        response = client.get(f"/api/v1/revenue?{year}{query}", headers=headers)
        return code(response) or sorted(row["gross_revenue"] for row in response.json["data"])  # type: ignore[index]

    assert gross(everything) == ["4606.96"]
    assert gross(limited) == ["4076.97"]
    assert gross(limited, "&group_by=region") == ["1299.00", "2777.97"]
    assert gross(limited, "&region=Europe") == ["1299.00"]
    assert gross(limited, "&region=North%20America") == "region_not_allowed"
    assert gross(limited, "&region=Europe&region=North%20America") == "region_not_allowed"
    accounts.change(set_regions, "anna", ("North America",))
    assert gross(limited) == ["349.99"]
    accounts.change(set_regions, "anna", ())
    assert gross(limited) == ["4606.96"]


def test_changes_of_an_account_hold_from_the_next_request_on(
    client: StrictClient, accounts: Accounts
) -> None:
    headers = accounts.add("anna", "analyst")
    assert call(client, "GET", "/api/v1/builds", headers).status_code == 200
    assert call(client, "POST", "/refresh", headers).status_code == 202
    accounts.change(set_role, "anna", "viewer")
    assert code(call(client, "POST", "/refresh", headers)) == "missing_scope"
    accounts.change(set_regions, "anna", ("Europe",))
    assert code(call(client, "GET", "/api/v1/builds", headers)) == "not_regional"
    accounts.change(set_active, "anna", is_active=False)
    assert code(call(client, "GET", ME, headers)) == "invalid_token"


def test_a_browsers_question_whether_it_may_ask_needs_no_token_and_runs_nothing(
    client: StrictClient, fake: FakeDagster
) -> None:
    for each in client.application.url_map.iter_rules():
        assert getattr(each, "provide_automatic_options", False), each.rule
    for method, rule, _ in routes(client):
        response = call(client, "OPTIONS", rule)
        assert (response.status_code, response.data) == (200, b""), rule
        assert method in response.headers["Allow"]
    assert fake.runs == {}


def test_the_document_says_for_each_route_who_may_call_it(client: StrictClient) -> None:
    spec = client.get("/openapi.json").json
    assert spec is not None
    assert set(spec["components"]["securitySchemes"]) == {"oauth2", "bearer"}
    for flow in spec["components"]["securitySchemes"]["oauth2"]["flows"].values():
        assert set(flow["scopes"]) == {"analytics:read", "data:write", "refresh:run", "admin"}
        assert flow["tokenUrl"] in spec["paths"]
    for method, rule, _ in routes(client):
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)
        if path in UNDOCUMENTED:
            continue
        operation = spec["paths"][path][method.lower()]
        codes = {
            found
            for response in operation["responses"].values()
            for found in re.findall(r"^- `(\w+)`", response["description"], re.MULTILINE)
        }
        scope = scope_of(method, rule)
        scopes = [scope] if scope else []
        is_public = (method, rule) in PUBLIC
        assert operation["security"] == ([] if is_public else [{"oauth2": scopes}, {"bearer": scopes}])
        assert {"unauthenticated", "invalid_token"} <= codes or is_public
        assert ("missing_scope" in codes) == (scope is not None)
        assert ("audit_unavailable" in codes) == (method != "GET")
    assert PROBLEM_TYPES["unauthenticated"].status == PROBLEM_TYPES["invalid_token"].status == 401


def test_the_only_user_of_a_laptop_may_do_everything_whatever_it_sends(
    make_client: MakeClient, accounts: Accounts
) -> None:
    accounts.add("anna", regions=("Europe",))
    client = make_client()
    for headers in ({}, accounts.token("anna"), {"Authorization": "Bearer garbage"}):
        me = client.get(ME, headers=headers).json
        assert me is not None
        assert (me["data"]["name"], me["data"]["regions"]) == ("local", None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "numbers.example"])
def test_beyond_loopback_accounts_are_on_whatever_the_settings_say(
    make_client: MakeClient, host: str
) -> None:
    assert code(make_client(api_host=host, accounts=False).get("/api/v1/builds")) == "unauthenticated"


def test_the_ids_of_principals_are_those_of_their_accounts(client: StrictClient, accounts: Accounts) -> None:
    me = client.get(ME, headers=accounts.add("anna")).json
    assert me is not None
    with connect(accounts.urls.owner) as connection:
        row = connection.execute("select principal_id from app.principals").fetchone()
    assert row == (UUID(me["data"]["id"]),)
