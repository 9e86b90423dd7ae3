"""What the cookie of a signed-in browser opens, what it never does, and when it ends."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey
from werkzeug.test import TestResponse

from pipeline.accounts.principals import set_active, set_password, set_regions, set_role
from pipeline.warehouse.connect import connect
from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.dashboard.browsers import (
    BOARD,
    BOARD_DATA,
    COOKIE,
    cookie_of,
    sign_in,
    with_board,
    with_cookie,
)
from tests.api.fake_dagster import FakeDagster
from tests.api.logins import ME, logged_in

MakeClient = Callable[..., StrictClient]
REVENUE = "/api/v1/revenue/total"
OTHER = "https://shop.example"


@pytest.fixture
def client(make_client: MakeClient, fake: FakeDagster, accounts: Accounts) -> StrictClient:
    """A browser before a service with accounts, of which there is anna, an admin."""
    accounts.secret_of("anna", "admin", kind="user")
    return make_client(fake, accounts=True)


def code(response: TestResponse) -> str | None:
    return response.json["code"] if response.status_code >= 400 and response.json else None


def claims_of(token: str | None, accounts: Accounts) -> dict[str, Any]:
    return dict(jwt.decode(str(token), OctKey.import_key(accounts.key), algorithms=["HS256"]).claims)


def made(key: bytes, claims: dict[str, Any], typ: str = "tillhouse-session+jwt") -> str:
    return jwt.encode({"alg": "HS256", "typ": typ}, claims, OctKey.import_key(key), algorithms=["HS256"])


@pytest.mark.usefixtures("golden")
def test_a_signed_in_browser_reads_every_route_as_its_account(
    client: StrictClient, accounts: Accounts
) -> None:
    sign_in(client)
    by_cookie = client.get(REVENUE)
    by_token = client.application.test_client().get(REVENUE, headers=accounts.token("anna"))
    assert by_cookie.status_code == by_token.status_code == 200
    assert by_cookie.data == by_token.data
    # Of an account with the same rights the answer is the same one.
    assert by_cookie.headers["ETag"] == by_token.headers["ETag"]
    assert {"Accept", "Authorization", "Cookie"} == set(by_cookie.vary)
    assert client.head(REVENUE).status_code == 200
    for path in ("/api/v1/builds", "/api/v1/imports", "/metrics"):
        assert client.get(path).status_code == 200


@pytest.mark.usefixtures("golden")
def test_a_signed_in_viewer_of_one_region_sees_that_alone(client: StrictClient, accounts: Accounts) -> None:
    accounts.secret_of("ben", "viewer", ("Europe",), kind="user")
    sign_in(client, "ben")
    year = "start_date=2024-01-01&end_date=2024-12-31"
    answer = client.get(f"{REVENUE}?{year}").json
    assert answer is not None
    assert answer["data"]["gross_revenue"] == "1299.00"
    assert code(client.get(f"{REVENUE}?{year}&region=Asia")) == "region_not_allowed"
    assert code(client.get("/api/v1/builds")) == "not_regional"
    assert code(client.get("/api/v1/imports")) == "missing_scope"


def test_no_cookie_changes_anything_through_the_api(
    client: StrictClient, fake: FakeDagster, accounts: Accounts
) -> None:
    sign_in(client)
    nobody = "00000000-0000-0000-0000-000000000000"
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    for method, path in (
        ("POST", "/refresh"),
        ("POST", "/api/v1/refreshes"),
        ("POST", "/api/v1/imports"),
        ("POST", "/api/v1/exports"),
        ("POST", "/api/v1/batches/1/void"),
        ("DELETE", f"/api/v1/refreshes/{nobody}"),
        ("DELETE", f"/api/v1/exports/{nobody}"),
    ):
        response = client.open(path, method=method, headers=own)
        assert (response.status_code, code(response)) == (401, "unauthenticated"), path
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="tillhouse"'
    assert fake.runs == {}
    with connect(accounts.urls.owner) as connection:
        assert connection.execute("select count(*) from app.jobs").fetchone() == (0,)


def test_the_services_own_pages_ask_by_cookie_whatever_the_method(client: StrictClient) -> None:
    browser = with_board(client)
    refused = browser.post(BOARD_DATA)
    assert (refused.status_code, code(refused)) == (401, "unauthenticated")
    assert code(browser.get(BOARD_DATA)) == "unauthenticated"
    sign_in(browser)
    for headers in (
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
        {},
    ):
        assert browser.post(BOARD_DATA, headers=headers).text == "data of anna"
    assert browser.get(BOARD).text == "page of anna"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        # Named in the settings: it may call the API with tokens of its own, and no more.
        {"Origin": OTHER},
        {"Origin": OTHER, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_page_of_another_site_acts_for_who_is_signed_in(
    make_client: MakeClient, accounts: Accounts, headers: dict[str, str]
) -> None:
    accounts.secret_of("anna", "admin", kind="user")
    browser = with_board(make_client(accounts=True, allowed_origins=(OTHER,)))
    sign_in(browser)
    cookie = cookie_of(browser)
    assert cookie is not None
    for response in (
        browser.post(BOARD_DATA, headers=headers),
        # Nobody is signed in as somebody else, or out.
        browser.post("/sign-in", data={"username": "anna", "password": PASSWORD}, headers=headers),
        browser.post("/sign-out", headers=headers),
    ):
        assert response.status_code == 403
        assert "Set-Cookie" not in response.headers
        assert "Access-Control-Allow-Credentials" not in response.headers
    assert cookie_of(browser) == cookie
    assert browser.get(ME).status_code == 200


def test_a_page_by_http_does_not_act_for_who_is_signed_in_by_https(
    make_client: MakeClient, accounts: Accounts
) -> None:
    accounts.secret_of("anna", kind="user")
    client = make_client(accounts=True, proxies=1)
    headers = {"X-Forwarded-Proto": "https", "Origin": "http://localhost"}
    assert sign_in(client, headers=headers).status_code == 403


def test_no_answer_lets_other_sites_read_with_the_cookie(make_client: MakeClient, accounts: Accounts) -> None:
    accounts.secret_of("anna", kind="user")
    client = make_client(accounts=True, allowed_origins=(OTHER,))
    sign_in(client)
    for path in (ME, "/sign-in"):
        for method in ("GET", "OPTIONS"):
            headers = {"Origin": OTHER, "Access-Control-Request-Method": "GET"}
            response = client.open(path, method=method, headers=headers)
            assert response.headers["Access-Control-Allow-Origin"] == OTHER
            assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_token_in_its_header_decides_whatever_the_cookie_says(
    client: StrictClient, accounts: Accounts
) -> None:
    sign_in(client)
    ben = accounts.add("ben")
    answer = client.get(ME, headers=ben).json
    assert answer is not None
    assert answer["data"]["name"] == "ben"
    assert code(client.get(ME, headers={"Authorization": "Bearer x.y.z"})) == "invalid_token"
    assert code(client.get(ME, headers={"Authorization": "Basic YW5uYTpmb3Vy"})) == "unauthenticated"


def test_neither_kind_of_token_passes_for_the_other(client: StrictClient, accounts: Accounts) -> None:
    tokens = logged_in(client)
    sign_in(client)
    cookie = cookie_of(client)
    fresh = client.application.test_client()
    assert code(fresh.get(ME, headers={"Authorization": f"Bearer {cookie}"})) == "invalid_token"
    for text in (tokens["access_token"], tokens["refresh_token"]):
        assert code(with_cookie(client, text).get(ME)) == "unauthenticated"


def test_a_cookie_that_was_made_up_or_is_over_is_none(client: StrictClient, accounts: Accounts) -> None:
    sign_in(client)
    claims, now = claims_of(cookie_of(client), accounts), int(time.time())
    assert claims.keys() == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 12 * 3600
    assert with_cookie(client, made(accounts.key, claims)).get(ME).status_code == 200
    for text in (
        made(b"another key, of somebody else, which is long", claims),
        made(accounts.key, claims, "at+jwt"),
        made(accounts.key, claims | {"exp": now - 60}),
        made(accounts.key, claims | {"aud": "another"}),
        made(accounts.key, claims | {"sid": claims["sub"]}),
        made(accounts.key, claims | {"sub": "anna"}),
        "", "x", "a.b.c", "x" * 4000,
    ):  # fmt: skip
        browser: FlaskClient = with_cookie(client, text)
        assert code(browser.get(ME)) == "unauthenticated"


@pytest.mark.parametrize(
    ("change", "options"),
    [(set_active, {"is_active": False}), (set_password, {"password": PASSWORD + " two"})],
)
def test_a_disabled_account_and_a_changed_password_sign_every_browser_out(
    client: StrictClient, accounts: Accounts, change: Any, options: dict[str, Any]
) -> None:
    sign_in(client)
    assert client.get(ME).status_code == 200
    accounts.change(change, "anna", **options)
    assert code(client.get(ME)) == "unauthenticated"
    assert sign_in(client).status_code == 400


def test_a_session_that_is_over_ends_the_cookie_at_once(client: StrictClient, accounts: Accounts) -> None:
    sign_in(client)
    with connect(accounts.urls.owner) as connection:
        connection.execute("update app.sessions set ends_at = now() - interval '1 second'")
    assert code(client.get(ME)) == "unauthenticated"


def test_another_role_and_other_regions_hold_from_the_next_request_on(
    client: StrictClient, accounts: Accounts
) -> None:
    sign_in(client)
    assert client.get("/api/v1/imports").status_code == 200
    accounts.change(set_role, "anna", "viewer")
    assert code(client.get("/api/v1/imports")) == "missing_scope"
    accounts.change(set_regions, "anna", ("Asia",))
    assert code(client.get("/api/v1/builds")) == "not_regional"


def test_a_cookie_names_one_service_and_its_own_name_alone(client: StrictClient, accounts: Accounts) -> None:
    sign_in(client)
    value = cookie_of(client)
    browser = FlaskClient(client.application, client.application.response_class, use_cookies=False)
    for name in ("session", f"{COOKIE}2", f"__Host-{COOKIE}", f"__Secure-{COOKIE}", "Authorization"):
        assert code(browser.get(ME, headers={"Cookie": f"{name}={value}"})) == "unauthenticated"
