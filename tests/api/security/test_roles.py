"""Every route by every kind of caller: let in as documented, or denied without any effect."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline.accounts.principals import set_active
from pipeline.accounts.roles import ROLES
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import UNDOCUMENTED, StrictClient
from tests.api.security.conftest import Jobs
from tests.api.security.routes import ROUTES, Route
from tests.api.security.state import Watch

MakeService = Callable[..., StrictClient]
MakeJobs = Callable[[FlaskClient, str], Jobs]
Headers = dict[str, str]


def nobody(accounts: Accounts) -> Headers:
    accounts.add("anna")
    return {}


def disabled(accounts: Accounts) -> Headers:
    headers = accounts.add("anna", "admin")
    accounts.change(set_active, "anna", is_active=False)
    return headers


def logged_out(accounts: Accounts) -> Headers:
    headers = accounts.add("anna", "admin")
    with connect(accounts.urls.owner) as connection:
        connection.execute("update app.sessions set revoked_at = now()")
    return headers


def limited(accounts: Accounts) -> Headers:
    return accounts.add("anna", regions=("Asia",))


def narrowed(accounts: Accounts) -> Headers:
    accounts.add("anna", "admin")
    return accounts.token("anna", frozenset(("analytics:read",)))


def program(accounts: Accounts) -> Headers:
    return accounts.add("anna", "editor", kind="client")


def of_role(role: Any) -> Callable[[Accounts], Headers]:
    return lambda accounts: accounts.add("anna", role)


# How each is made, what it may, and how it is turned away where it has no business at all.
CALLERS: dict[str, tuple[Callable[[Accounts], Headers], frozenset[str], str | None]] = {
    "nobody": (nobody, frozenset(), "unauthenticated"),
    "disabled admin": (disabled, frozenset(), "invalid_token"),
    "admin that logged out": (logged_out, frozenset(), "invalid_token"),
    **{role: (of_role(role), frozenset(scopes), None) for role, scopes in ROLES.items()},
    "viewer of one region": (limited, ROLES["viewer"], None),
    "admin with a token to read": (narrowed, ROLES["viewer"], None),
    "client": (program, ROLES["editor"], None),
}


def expected(caller: str, route: Route) -> tuple[int, str | None]:
    _, scopes, refusal = CALLERS[caller]
    if route.needs == "nothing":
        return route.status, route.code
    if refusal:
        return 401, refusal
    if route.needs == "an account":
        return route.status, route.code
    if route.needs not in scopes:
        return 403, "missing_scope"
    if caller == "viewer of one region" and not route.is_regional:
        return 403, "not_regional"
    return route.status, route.code


def ask(client: FlaskClient, route: Route, jobs: Jobs, headers: Headers) -> tuple[int, str | None]:
    address = route.path.format(**vars(jobs))
    response = client.open(address, method=route.method, headers=headers, **route.body())
    code = response.json["code"] if response.status_code >= 400 and response.json else None
    response.close()
    return response.status_code, code


def test_every_route_is_in_the_table(service: MakeService) -> None:
    app: Any = service().application
    served = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(route.method, route.rule) for route in ROUTES}
    documented = {(method.upper(), path) for path, methods in app.spec["paths"].items() for method in methods}
    assert documented == {(r.method, r.path) for r in ROUTES if r.path not in UNDOCUMENTED}


@pytest.mark.parametrize("caller", CALLERS)
def test_a_caller_reaches_what_it_may_and_what_is_denied_changes_nothing(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts, watch: Watch, caller: str
) -> None:
    client = service()
    accounts.add("someone")
    accounts.add("exporter", "admin")
    make, scopes, refusal = CALLERS[caller]
    headers = make(accounts)
    jobs = make_jobs(client, "anna" if "analytics:read" in scopes and not refusal else "exporter")
    before, audited = watch.state(), watch.audited()
    denied = [route for route in ROUTES if expected(caller, route)[0] in (401, 403)]
    for route in denied:
        assert ask(client, route, jobs, headers) == expected(caller, route), route
        assert watch.state() == before, route
    # What is denied is on record when it would have changed something, and only then.
    writes = sum(route.method != "GET" for route in denied)
    assert watch.audited() == audited + writes
    for route in ROUTES:
        if route not in denied:
            assert ask(client, route, jobs, headers) == expected(caller, route), route


def test_an_export_is_nobodys_business_but_its_callers_and_an_admins(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    accounts.add("owner")
    jobs = make_jobs(client, "owner")
    own = [route for route in ROUTES if "<uuid:export_id>" in route.rule]
    assert len(own) == 3
    others = [accounts.add("other", "editor"), accounts.add("narrow", regions=("Asia",))]
    before = watch.state()
    for route in own:
        for headers in others:
            assert ask(client, route, jobs, headers) == (404, "not_found"), route
    assert watch.state() == before
    listed = client.get("/api/v1/exports", headers=others[0]).json
    assert listed is not None
    assert listed["data"] == []
    for route in own:
        assert ask(client, route, jobs, accounts.token("root-of-jobs"))[0] == route.status, route


def test_a_head_request_opens_no_more_than_a_get(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts
) -> None:
    client = service()
    accounts.add("exporter", "admin")
    jobs = make_jobs(client, "exporter")
    for route in ROUTES:
        if route.method == "GET":
            response = client.head(route.path.format(**vars(jobs)))
            assert response.status_code == expected("nobody", route)[0], route
            assert response.data == b""
            response.close()


def test_no_header_turns_a_request_into_another(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    accounts.add("anna")
    jobs = make_jobs(client, "anna")
    headers, address = accounts.token("anna"), f"/api/v1/exports/{jobs.export_id}"
    before = watch.state()
    for given in (
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-HTTP-Method": "DELETE"},
        {"X-Method-Override": "DELETE"},
        {"X-Original-URL": "/api/v1/auth/me", "X-Rewrite-URL": "/api/v1/auth/me"},
        {"X-Forwarded-Prefix": "/api/v1", "X-Script-Name": "/api/v1"},
    ):
        found = client.get(address, headers=headers | given).json
        assert found is not None
        assert found["data"]["id"] == jobs.export_id
        assert client.get("/healthz", headers=given).json == {"status": "ok"}
    assert watch.state() == before


def test_methods_that_no_route_has_do_nothing(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    accounts.add("exporter", "admin")
    jobs = make_jobs(client, "exporter")
    headers = accounts.token("exporter")
    before = watch.state()
    for method in ("PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND"):
        for path in sorted({route.path for route in ROUTES}):
            asked = {"REQUEST_METHOD": method}
            response = client.open(path.format(**vars(jobs)), headers=headers, environ_overrides=asked)
            assert response.status_code in (404, 405), (method, path)
    assert watch.state() == before
