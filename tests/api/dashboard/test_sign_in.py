"""Signing in and out in a browser: the form, the cookie, and where it is led."""

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import close, create_app
from pipeline.accounts.principals import set_regions
from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls, connect
from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.dashboard.browsers import BOARD, COOKIE, cookie_of, sign_in, with_board
from tests.api.logins import ME, TOKEN

MakeClient = Callable[..., StrictClient]
NOWHERE = DatabaseUrls(*["postgresql://nobody@127.0.0.1:1/nothing"] * 4)
WRONG = "The name or the password is wrong."


@pytest.fixture
def client(make_client: MakeClient, accounts: Accounts) -> StrictClient:
    """A browser before a service with accounts, of which there is anna."""
    accounts.secret_of("anna", "analyst", kind="user")
    return make_client(accounts=True)


class Page(HTMLParser):
    """The elements of a page: their names and attributes, and the texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def named(self, name: str) -> dict[str, str | None]:
        """The attributes of the field of this name."""
        [found] = [given for tag, given in self.elements if tag == "input" and given["name"] == name]
        return found

    @property
    def alerts(self) -> int:
        """How many elements are announced."""
        return sum(given.get("role") == "alert" for _, given in self.elements)


def sessions(accounts: Accounts) -> list[tuple[Any, ...]]:
    """Every session: how long it lasts, whether it ended, and how many refresh tokens it has."""
    with connect(accounts.urls.owner) as connection:
        return connection.execute(
            "select (ends_at - started_at)::text, revoked_at is not null,"
            " (select count(*) from app.refresh_tokens r where r.session_id = s.session_id)"
            " from app.sessions s order by started_at"
        ).fetchall()


def test_the_form_can_be_filled_by_hand_by_a_program_and_by_ear(client: StrictClient) -> None:
    response = client.get("/sign-in?next=/data")
    assert response.status_code == 200
    page = Page(response.text)
    labels = {given["for"] for tag, given in page.elements if tag == "label"}
    assert labels == {"username", "password"} == {page.named(name)["id"] for name in ("username", "password")}
    assert page.named("username")["autocomplete"] == "username"
    assert page.named("password")["autocomplete"] == "current-password"
    assert page.named("password")["type"] == "password"
    assert page.named("next")["value"] == "/data"
    assert "autofocus" in page.named("username")
    assert page.alerts == 0
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object"})
    assert "://" not in response.text


def test_the_form_is_kept_by_nobody_and_fetches_nothing(client: StrictClient) -> None:
    headers = client.get("/sign-in").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Vary"] == "Cookie"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_who_signs_in_is_led_on_with_a_cookie_that_no_script_can_read(
    client: StrictClient, accounts: Accounts
) -> None:
    response = sign_in(client, form={"next": "/data?region=Asia&from=2024-01-01"})
    assert (response.status_code, response.data) == (303, b"")
    assert response.headers["Location"] == "/data?region=Asia&from=2024-01-01"
    assert response.headers["Cache-Control"] == "no-store"
    [given] = response.headers.getlist("Set-Cookie")
    name, _, rest = given.partition("=")
    _, *attributes = rest.split("; ")
    assert name == COOKIE
    kept = {text.partition("=")[0]: text.partition("=")[2] for text in attributes}
    kept.pop("Expires")
    assert kept == {"HttpOnly": "", "Max-Age": "43200", "Path": "/", "SameSite": "Lax"}
    # Half a day, and nothing to continue it with.
    assert sessions(accounts) == [("12:00:00", False, 0)]
    me = client.get(ME).json
    assert me is not None
    assert (me["data"]["name"], me["data"]["scopes"]) == ("anna", ["analytics:read", "refresh:run"])


def test_by_https_the_cookie_is_for_https_and_this_host_alone(
    make_client: MakeClient, accounts: Accounts
) -> None:
    accounts.secret_of("anna", kind="user")
    client = make_client(accounts=True, proxies=1)
    secure = {"X-Forwarded-Proto": "https", "Origin": "https://localhost"}
    [given] = sign_in(client, headers=secure).headers.getlist("Set-Cookie")
    assert given.startswith(f"__Host-{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(given.split("; "))
    assert "Domain" not in given
    value = given.partition("=")[2].partition(";")[0]
    for name, scheme, status in (
        (f"__Host-{COOKIE}", "https", 200),
        (COOKIE, "https", 401),
        (f"__Host-{COOKIE}", "http", 401),
    ):
        other = FlaskClient(client.application, client.application.response_class, use_cookies=False)
        headers = {"Cookie": f"{name}={value}", "X-Forwarded-Proto": scheme}
        assert other.get(ME, headers=headers).status_code == status, (name, scheme)
    # Without a proxy that is named in the settings, its word is anybody's.
    [open_cookie] = sign_in(
        make_client(accounts=True), headers={"X-Forwarded-Proto": "https"}
    ).headers.getlist("Set-Cookie")
    assert open_cookie.startswith(f"{COOKIE}=")
    assert "Secure" not in open_cookie


@pytest.mark.parametrize(
    "path", ["/", "/data", "/findings?from=2024-01-01#top", "/a//b", "/%2f/x", "/?next=//x"]
)
def test_a_path_of_this_site_is_where_the_sign_in_leads(client: StrictClient, path: str) -> None:
    assert Page(client.get("/sign-in", query_string={"next": path}).text).named("next")["value"] == path
    response = sign_in(client, form={"next": path})
    assert (response.status_code, response.headers["Location"]) == (303, path)


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example", "///evil.example", "https://evil.example", "http:evil.example",
        "javascript:alert(1)", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
        "\t//evil.example", " //evil.example", "/\r\nSet-Cookie: a=b", "/\0", "data", "",
        "?x", "/\u2028/x", "/" + "x" * 4000,
    ],
)  # fmt: skip
def test_no_sign_in_leads_to_another_site(client: StrictClient, accounts: Accounts, address: str) -> None:
    for response in (
        client.get("/sign-in", query_string={"next": address}),
        sign_in(client, form={"next": address}),
    ):
        assert response.status_code == 422
        assert "Location" not in response.headers
        assert "Set-Cookie" not in response.headers
        page = Page(response.text)
        assert page.alerts == 1
        assert page.named("next")["value"] == "/"
    assert sessions(accounts) == []


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "another password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("anna", ""),
        ("till", "TILL"),
        ("\0", "\0"),
    ],
)
def test_a_wrong_sign_in_is_told_in_the_same_words_beside_the_form(
    client: StrictClient, accounts: Accounts, name: str, password: str
) -> None:
    secret = accounts.secret_of("till")
    response = sign_in(client, name, secret if password == "TILL" else password, form={"next": "/data"})
    assert response.status_code == 400
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    page = Page(response.text)
    assert (page.alerts, page.texts.count(WRONG)) == (1, 1)
    assert "Error: Sign in · Tillhouse" in page.texts
    assert page.named("username")["aria-describedby"] == page.named("password")["aria-describedby"] == "error"
    # The name stays, the password does not; the next key that is typed goes where something is missing.
    assert "value" not in page.named("password")
    assert ("autofocus" in page.named("password")) == bool(name)
    assert page.named("next")["value"] == "/data"
    assert sessions(accounts) == []


def test_what_was_typed_is_shown_as_text(client: StrictClient) -> None:
    name = '"><script>alert(1)</script>'
    response = sign_in(client, name, form={"next": '/"><script>alert(2)</script>'})
    assert "<script" not in response.text
    page = Page(response.text)
    assert page.named("username")["value"] == name
    assert page.named("next")["value"] == '/"><script>alert(2)</script>'


def test_names_are_typed_in_any_case_and_with_blanks_around(client: StrictClient) -> None:
    assert sign_in(client, " Anna ").status_code == 303


def test_a_form_that_is_another_is_refused_in_words(client: StrictClient, accounts: Accounts) -> None:
    for response, status, words in (
        (sign_in(client, form={"role": "admin"}), 400, "role: Extra inputs are not permitted"),
        (sign_in(client, form={"password": "x" * 70_000}), 413, "exceeds the capacity limit"),
        (sign_in(client, query_string={"username": "anna"}), 400, "Unknown parameter"),
    ):
        assert (response.status_code, response.mimetype) == (status, "text/html")
        assert words in response.text
        assert "Traceback" not in response.text
    assert sessions(accounts) == []


def test_each_sign_in_is_a_session_of_its_own_and_ends_the_one_before(
    client: StrictClient, accounts: Accounts
) -> None:
    cookies = []
    for _ in range(2):
        assert sign_in(client).status_code == 303
        cookies.append(cookie_of(client))
    assert cookies[0] != cookies[1]
    assert [ended for _, ended, _ in sessions(accounts)] == [True, False]
    # What somebody planted in the browser is no session that a sign-in takes over.
    client.set_cookie(COOKIE, "planted")
    assert sign_in(client).status_code == 303
    assert cookie_of(client) not in ("planted", *cookies)
    assert client.get(ME).status_code == 200


def test_signing_out_ends_the_session_and_takes_the_cookie_back(
    client: StrictClient, accounts: Accounts
) -> None:
    sign_in(client)
    cookie = cookie_of(client)
    assert cookie is not None
    response = client.post("/sign-out", headers={"Origin": "http://localhost"})
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in")
    [taken] = response.headers.getlist("Set-Cookie")
    assert taken.startswith(f"{COOKIE}=;")
    assert {"Max-Age=0", "Path=/", "HttpOnly", "SameSite=Lax"} <= set(taken.split("; "))
    assert cookie_of(client) is None
    assert [ended for _, ended, _ in sessions(accounts)] == [True]
    client.set_cookie(COOKIE, cookie)
    assert client.get(ME).status_code == 401
    # Once more does no harm, and nobody signs out by following a link.
    assert client.post("/sign-out").status_code == 303
    assert client.get("/sign-out").status_code == 405


def test_both_doors_share_the_limit_of_failed_logins(client: StrictClient) -> None:
    tried = [sign_in(client, "anna", "wrong password").status_code for _ in range(5)]
    form = {"grant_type": "password", "username": " ANNA", "password": "wrong password"}
    tried += [client.post(TOKEN, data=form).status_code for _ in range(5)]
    assert tried == [400] * 10
    refused = sign_in(client)
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    seconds = int(refused.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert Page(refused.text).alerts == 1
    told = re.search(r"Too many failed logins: wait (\d+) s\.", refused.text)
    assert told is not None
    assert int(told[1]) in (seconds, seconds + 1)
    assert "Set-Cookie" not in refused.headers
    assert client.post(TOKEN, data=form | {"password": PASSWORD}).status_code == 429


def test_a_signed_in_browser_counts_by_its_account(make_client: MakeClient, accounts: Accounts) -> None:
    accounts.secret_of("anna", kind="user")
    client = make_client(accounts=True, rate_limit="3/hour")
    sign_in(client)
    assert [client.get(ME).status_code for _ in range(4)] == [200, 200, 200, 429]
    # Others from the same address have two left.
    other = client.application.test_client()
    assert [other.get(ME).status_code for _ in range(3)] == [401, 401, 429]


def test_sign_ins_and_sign_outs_are_on_record_and_never_with_a_secret(
    client: StrictClient, accounts: Accounts
) -> None:
    sign_in(client, password="a wrong password")
    sign_in(client, PASSWORD)
    sign_in(client)
    cookie = cookie_of(client)
    client.post("/sign-out")
    client.post("/sign-out")
    records = accounts.audit()
    target = records[3][2]
    assert target.startswith("session ")
    assert records == [
        ("anonymous", "POST /sign-in", "anna", "failed", 400, "invalid_grant"),
        ("anonymous", "POST /sign-in", None, "failed", 400, "invalid_grant"),
        ("anna", "POST /sign-in", "anna", "succeeded", 303, None),
        ("anna", "POST /sign-out", target, "succeeded", 303, None),
        ("anonymous", "POST /sign-out", "/sign-in", "succeeded", 303, None),
    ]
    with connect(accounts.urls.owner) as connection:
        everything = str(connection.execute("select a::text from app.audit a").fetchall())
    for secret in (PASSWORD, "a wrong password", cookie):
        assert str(secret) not in everything


def test_a_page_that_is_opened_without_a_session_leads_to_the_sign_in_and_back(
    client: StrictClient, accounts: Accounts
) -> None:
    browser = with_board(client)
    for cookie in (None, "planted"):
        if cookie:
            browser.set_cookie(COOKIE, cookie)
        response = browser.get(f"{BOARD}?region=North%20America&from=2024-01-01")
        assert (response.status_code, response.data) == (303, b"")
        led = response.headers["Location"]
        assert led == "/sign-in?next=%2Fboard%3Fregion%3DNorth%2520America%26from%3D2024-01-01"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Cookie" in response.vary
    wanted = Page(browser.get(led).text).named("next")["value"]
    assert wanted == f"{BOARD}?region=North%20America&from=2024-01-01"
    signed_in = sign_in(browser, form={"next": wanted})
    assert signed_in.headers["Location"] == wanted
    # The board of this test takes no parameters.
    shown = browser.get(BOARD)
    assert (shown.status_code, shown.text) == (200, "page of anna")
    assert shown.headers["Referrer-Policy"] == "same-origin"
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_page_that_the_account_may_not_see_says_so_in_words(
    client: StrictClient, accounts: Accounts
) -> None:
    browser = with_board(client)
    accounts.secret_of("ben", "viewer", kind="user")
    accounts.change(set_regions, "ben", ("Asia",))
    sign_in(browser, "ben")
    response = browser.get(BOARD)
    assert (response.status_code, response.mimetype) == (403, "text/html")
    page = Page(response.text)
    assert page.alerts == 1
    assert "Not for limited callers" in page.texts
    assert "ben is limited to regions, and this cannot be told for some regions alone." in page.texts
    assert "Signed in as ben." in page.texts
    [form] = [given for tag, given in page.elements if tag == "form"]
    assert (form["action"], form["method"]) == ("/sign-out", "post")


def test_without_accounts_there_is_nothing_to_sign_in_to(make_client: MakeClient) -> None:
    client = make_client()
    led = client.get("/sign-in?next=/data")
    assert (led.status_code, led.headers["Location"]) == (303, "/data")
    refused = sign_in(client)
    assert (refused.status_code, refused.mimetype) == (409, "text/html")
    assert "This service asks for no login" in refused.text
    assert "Set-Cookie" not in refused.headers
    assert with_board(make_client()).get(BOARD).text == "page of local"


def test_with_postgres_away_the_form_says_so(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"accounts": True}), NOWHERE)
    try:
        began = time.monotonic()
        response = sign_in(app.test_client())
        assert (response.status_code, response.mimetype) == (503, "text/html")
        assert response.headers["Retry-After"] == "5"
        assert "Postgres does not answer; ask again in a few seconds." in response.text
        assert time.monotonic() - began < 30
    finally:
        close(app)
