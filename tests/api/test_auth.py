"""Logging in: the grants, and what is answered to those who may not."""

from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

import httpx
import pytest
from argon2 import PasswordHasher
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]

from pipeline.accounts import passwords
from pipeline.accounts.principals import set_active
from pipeline.warehouse.connect import connect
from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.logins import ME, REVOKE, TOKEN, logged_in, refused, renewed, who

MakeClient = Callable[..., StrictClient]


@pytest.fixture
def client(make_client: MakeClient, accounts: Accounts) -> StrictClient:
    """A client of an API with accounts, of which there is anna."""
    accounts.secret_of("anna", "analyst", kind="user")
    return make_client(accounts=True)


def test_a_user_logs_in_by_password_and_is_told_who_it_is(client: StrictClient) -> None:
    token = logged_in(client)
    assert token.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 900)
    assert token["scope"] == "analytics:read refresh:run"
    me = who(client, token)
    assert me.pop("id")
    assert me == {
        "kind": "user",
        "name": "anna",
        "role": "analyst",
        "scopes": ["analytics:read", "refresh:run"],
        "regions": None,
    }


def test_names_are_typed_in_any_case(client: StrictClient) -> None:
    assert who(client, logged_in(client, username="Anna"))["name"] == "anna"


@pytest.mark.parametrize(
    "form",
    [
        {"username": "anna", "password": "another password"},
        {"username": "anna", "password": PASSWORD.upper()},
        {"username": "anna", "password": PASSWORD + "\0"},
        {"username": "anna", "password": "x" * 10_000},
        {"username": "nobody", "password": PASSWORD},
        {"username": "an\0na", "password": PASSWORD},
        {"username": "anna' or '1'='1", "password": PASSWORD},
        {"username": "till", "password": "TILL"},
    ],
)
def test_a_wrong_name_or_password_is_refused_in_the_same_words(
    client: StrictClient, accounts: Accounts, form: dict[str, str]
) -> None:
    secret = accounts.secret_of("till")
    if form["password"] == "TILL":
        form = form | {"password": secret}
    assert refused(client, grant_type="password", **form) == (400, "invalid_grant")
    told = client.post(TOKEN, data={"grant_type": "password", **form}).json
    assert told is not None
    assert told["detail"] == "The name or the password is wrong."


def test_every_wrong_login_costs_one_hash_of_the_same_cost(
    client: StrictClient, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            hashes.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    accounts.secret_of("till")
    accounts.secret_of("gone", kind="user")
    accounts.change(set_active, "gone", is_active=False)
    names = ("anna", "nobody", "till", "gone", "an\0na", "")
    for name in names[:-1]:
        refused(client, grant_type="password", username=name, password="wrong password")
    for name in names:
        refused(client, grant_type="client_credentials", client_id=name, client_secret="wrong")
    assert len(hashes) == 2 * len(names) - 1
    assert {text.rsplit("$", 2)[0] for text in hashes} == {"$argon2id$v=19$m=65536,t=3,p=4"}


@pytest.mark.parametrize("by_header", [True, False])
def test_a_client_logs_in_by_its_secret_and_gets_no_refresh_token(
    client: StrictClient, accounts: Accounts, by_header: bool
) -> None:
    secret = accounts.secret_of("till@shop", "editor")
    form = {"grant_type": "client_credentials"}
    if by_header:
        # As RFC 6749 (2.3.1) has it: encoded as in a form, then by HTTP Basic.
        response = client.post(TOKEN, data=form, auth=(quote("till@shop"), quote(secret)))
    else:
        response = client.post(TOKEN, data=form | {"client_id": "till@shop", "client_secret": secret})
    token = response.json
    assert token is not None
    assert token.keys() == {"access_token", "token_type", "expires_in", "scope"}
    me = who(client, token)
    assert (me["kind"], me["name"], me["role"]) == ("client", "till@shop", "editor")


def test_a_wrong_client_is_challenged(client: StrictClient, accounts: Accounts) -> None:
    secret = accounts.secret_of("till")
    form = {"grant_type": "client_credentials"}
    for auth in (("till", "wrong"), ("nobody", secret), ("anna", PASSWORD), ("", "")):
        response = client.post(TOKEN, data=form, auth=auth)
        assert response.json is not None
        assert (response.status_code, response.json["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"] == 'Basic realm="tillhouse"'
    assert refused(client, **form) == (401, "invalid_client")
    both = client.post(TOKEN, data=form | {"client_secret": secret}, auth=("till", secret))
    assert both.json is not None
    assert (both.status_code, both.json["error"]) == (400, "invalid_request")
    accounts.change(set_active, "till", is_active=False)
    assert refused(client, **form, client_id="till", client_secret=secret) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"other": "x"}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "anna"}, "invalid_request"),
        ({"grant_type": "password", "password": PASSWORD}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": ["password", "password"]}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": 'x"\\\0é'}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "never given"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "\0é"}, "invalid_grant"),
    ],
)
def test_a_malformed_login_is_refused(client: StrictClient, form: dict[str, Any], code: str) -> None:
    assert refused(client, **form) == (400, code)


def test_a_login_is_a_form(client: StrictClient) -> None:
    form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    for response in (
        client.post(TOKEN, json=form),
        client.post(TOKEN),
        client.post(REVOKE, json={"token": "x"}),
    ):
        assert response.json is not None
        assert (response.status_code, response.json["code"]) == (415, "unsupported_media_type")
    response = client.post(f"{TOKEN}?username=anna", data=form)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (400, "unknown_parameter")
    assert client.post(TOKEN, data=form | {"fine": "x" * 70_000}).status_code == 413
    assert client.post(TOKEN, data=form | {"unknown": "is ignored"}).status_code == 200


def test_scopes_can_be_narrowed_and_never_widened(client: StrictClient) -> None:
    form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    token = logged_in(client, scope="analytics:read")
    assert token["scope"] == "analytics:read"
    assert who(client, token)["scopes"] == ["analytics:read"]
    assert renewed(client, token["refresh_token"])["scope"] == "analytics:read"
    for scope in ("admin", "analytics:read admin", "nonsense", "analytics:read,refresh:run", 'é"\\'):
        assert refused(client, **form, scope=scope) == (400, "invalid_scope")


def test_without_accounts_there_is_nothing_to_log_in_to(make_client: MakeClient) -> None:
    client = make_client()
    for path in (TOKEN, REVOKE):
        response = client.post(path, data={"grant_type": "password", "token": "x"})
        assert response.json is not None
        assert (response.status_code, response.json["code"]) == (409, "accounts_off")
    me = client.get(ME).json
    assert me == {
        "data": {
            "id": None,
            "kind": "user",
            "name": "local",
            "role": "admin",
            "scopes": ["admin", "analytics:read", "data:write", "refresh:run"],
            "regions": None,
        }
    }


def test_the_last_login_is_kept(client: StrictClient, accounts: Accounts) -> None:
    seen = "select last_used_at is not null from app.principals where name = 'anna'"
    with connect(accounts.urls.owner, autocommit=True) as connection:
        assert connection.execute(seen).fetchone() == (False,)
        logged_in(client)
        assert connection.execute(seen).fetchone() == (True,)


def test_a_client_library_of_others_logs_in_renews_and_logs_out(
    client: StrictClient, accounts: Accounts
) -> None:
    """Authlib's client knows OAuth 2 and nothing of this service."""
    secret = accounts.secret_of("till", "editor")
    transport = httpx.WSGITransport(app=client.application)
    urls = {
        "base_url": "http://localhost",
        "transport": transport,
        "token_endpoint": f"http://localhost{TOKEN}",
    }
    with OAuth2Client("dashboard", token_endpoint_auth_method="none", **urls) as user:
        user.fetch_token(username="anna", password=PASSWORD)
        assert user.get(ME).json()["data"]["name"] == "anna"
        user.refresh_token()
        assert user.get(ME).json()["data"]["name"] == "anna"
        user.revoke_token(f"http://localhost{REVOKE}", user.token["access_token"])
        assert user.get(ME).status_code == 401
    for method in ("client_secret_basic", "client_secret_post"):
        with OAuth2Client("till", secret, token_endpoint_auth_method=method, **urls) as program:
            program.fetch_token(grant_type="client_credentials", scope="data:write")
            assert program.get(ME).json()["data"]["scopes"] == ["data:write"]
