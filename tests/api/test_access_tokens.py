"""Tokens that open nothing: forged, expired, of another kind, or in another place than their header."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from werkzeug.test import TestResponse

from pipeline.accounts.tokens import AccessToken, read_token
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient

ME = "/api/v1/auth/me"


@pytest.fixture
def client(make_client: Callable[..., StrictClient]) -> StrictClient:
    """A client of an API with accounts."""
    return make_client(accounts=True)


def code(response: TestResponse) -> str | None:
    return response.json["code"] if response.status_code >= 400 and response.json else None


def forged(key: bytes, **changed: Any) -> str:
    """A token of another maker, for the principal and the session of the test, with claims changed."""
    now = int(time.time())
    header = {"alg": changed.pop("alg", "HS256"), "typ": changed.pop("typ", "at+jwt")}
    claims = {
        "iss": "tillhouse", "aud": "tillhouse-api", "jti": "1", "iat": now, "exp": now + 900,
        "scope": "analytics:read",
    } | changed  # fmt: skip
    return jwt.encode(header, claims, OctKey.import_key(key), algorithms=["HS256", "HS384", "HS512"])


def test_a_token_that_is_not_valid_opens_nothing(client: StrictClient, accounts: Accounts) -> None:
    valid = accounts.add("anna", "admin")["Authorization"].removeprefix("Bearer ")
    read = jwt.decode(valid, OctKey.import_key(accounts.key), algorithms=["HS256"]).claims
    ours = {"sub": read["sub"], "sid": read["sid"]}
    key, now = accounts.key, int(time.time())
    assert client.get(ME, headers={"Authorization": f"Bearer {forged(key, **ours)}"}).status_code == 200
    head, body, signature = valid.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"  # {"alg":"none","typ":"at+jwt"}
    for token in (
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{body}.",
        forged(b"another key, of somebody else, which is long", **ours),
        forged(key, **ours, alg="HS384"),
        forged(key, **ours, alg="HS512"),
        forged(key, **ours, typ="JWT"),
        forged(key, **ours, aud="another-api"),
        forged(key, **ours, iss="somebody"),
        forged(key, **ours, exp=now - 60),
        forged(key, **ours, nbf=now + 600),
        forged(key, **ours, iat=now + 600),
        forged(key, sub=ours["sub"], sid=str(uuid4())),
        forged(key, sub=str(uuid4()), sid=ours["sid"]),
        forged(key, sub="admin", sid=ours["sid"]),
        "garbage",
        "",
        "x" * 20_000,
        f"{valid} {valid}",
        f"{valid}, Bearer {valid}",
    ):
        response = client.get(ME, headers={"Authorization": f"Bearer {token}"})
        assert (response.status_code, code(response)) == (401, "invalid_token"), token
        assert response.headers["WWW-Authenticate"].startswith(
            'Bearer realm="tillhouse", error="invalid_token"'
        )


def test_a_scope_that_the_role_lacks_is_not_believed(client: StrictClient, accounts: Accounts) -> None:
    # Only who has the key could make one; a role that shrank leaves such tokens behind.
    valid = accounts.add("anna")["Authorization"].removeprefix("Bearer ")
    read = jwt.decode(valid, OctKey.import_key(accounts.key), algorithms=["HS256"]).claims
    token = forged(accounts.key, sub=read["sub"], sid=read["sid"], scope="admin data:write refresh:run")
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(ME, headers=headers).json["data"]["scopes"] == []  # type: ignore[index]
    assert code(client.post("/refresh", headers=headers)) == "missing_scope"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic YW5uYTpmb3Vy"},
        {"Authorization": "Token x"},
        {"Authorization": ""},
        {"X-Access-Token": "TOKEN"},
        {"Cookie": "access_token=TOKEN; Authorization=Bearer TOKEN"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost", "Forwarded": "for=127.0.0.1"},
    ],
)
def test_a_token_anywhere_but_in_its_header_is_none(
    client: StrictClient, accounts: Accounts, headers: dict[str, str]
) -> None:
    valid = accounts.add("anna", "admin")["Authorization"].removeprefix("Bearer ")
    given = {name: value.replace("TOKEN", valid) for name, value in headers.items()}
    assert code(client.get(ME, headers=given)) == "unauthenticated"


def test_a_token_in_the_address_is_no_token_and_an_unknown_parameter(
    client: StrictClient, accounts: Accounts
) -> None:
    headers = accounts.add("anna", "admin")
    token = headers["Authorization"].removeprefix("Bearer ")
    for name in ("access_token", "token", "Authorization"):
        assert code(client.get(f"{ME}?{name}={token}")) == "unauthenticated"
        assert code(client.get(f"{ME}?{name}={token}", headers=headers)) == "unknown_parameter"
        assert code(client.get(f"/healthz?{name}={token}")) == "unknown_parameter"


def test_a_token_is_read_once_a_request(
    make_client: Callable[..., StrictClient], accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, headers = make_client(accounts=True), accounts.add("anna")
    read: list[str] = []

    def counted(key: bytes, text: str) -> AccessToken:
        read.append(text)
        return read_token(key, text)

    monkeypatch.setattr("api.access.read_token", counted)
    assert client.get("/api/v1/auth/me", headers=headers).status_code == 200
    assert client.get("/api/v1/auth/me", headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert read == [headers["Authorization"].removeprefix("Bearer "), "x.y.z"]
