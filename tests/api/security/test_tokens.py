"""Tokens that are nearly right, and logins that are nearly logins."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import OctKey

from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.logins import ME, REVOKE, TOKEN, logged_in, renewed
from tests.api.security.state import Watch

MakeService = Callable[..., StrictClient]


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: bytes, header: Any, claims: Any) -> str:
    """Signed as ours are, whatever the header and the claims say."""
    import hashlib
    import hmac

    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(key, text.encode(), hashlib.sha256))}"


@pytest.fixture
def anna(accounts: Accounts) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a valid token of an admin."""
    valid = accounts.add("anna", "admin")["Authorization"].removeprefix("Bearer ")
    read = jwt.decode(valid, OctKey.import_key(accounts.key), algorithms=["HS256"])
    return dict(read.header), dict(read.claims)


def test_no_trick_of_a_header_or_a_claim_makes_a_token_valid(
    service: MakeService, accounts: Accounts, anna: tuple[dict[str, Any], dict[str, Any]], watch: Watch
) -> None:
    client, key, now = service(), accounts.key, int(time.time())
    header, claims = anna
    own = base64.urlsafe_b64encode(b"a key of my own, long enough to sign").decode()

    def status(token: str) -> int:
        return client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code

    assert status(signed(key, header, claims)) == 200
    before = watch.state()
    for changed in (
        {"alg": "None"}, {"alg": "nOnE"}, {"alg": "hs256"}, {"alg": ""}, {"alg": None}, {"alg": ["HS256"]},
        {"alg": "RS256"}, {"alg": "ES256"}, {"alg": "EdDSA"}, {"typ": None}, {"typ": "AT+JWT "},
        {"typ": ["at+jwt"]},
        {"crit": ["exp"]}, {"crit": ["nothing"]}, {"b64": False, "crit": ["b64"]},
        {"zip": "DEF", "typ": "JWT"},
    ):  # fmt: skip
        assert status(signed(key, header | changed, claims)) == 401, changed
    for forged in (
        {"jwk": {"kty": "oct", "k": own}}, {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example"},
        {"kid": "../../../../dev/null"}, {"kid": "' or '1'='1"},
    ):  # fmt: skip
        assert status(signed(b"a key of my own, long enough to sign", header | forged, claims)) == 401, forged
        assert status(signed(b"", header | forged, claims)) == 401, forged
    wrong: tuple[dict[str, Any], ...] = (
        {"exp": now - 11}, {"exp": str(now + 900)}, {"exp": None}, {"exp": [now + 900]}, {"exp": -1},
        {"exp": True},
        {"iat": now + 60}, {"iat": "yesterday"}, {"nbf": now + 60}, {"aud": None}, {"aud": ""}, {"aud": []},
        {"aud": "tillhouse-ap"}, {"aud": {"tillhouse-api": 1}}, {"iss": None}, {"iss": ["tillhouse"]},
        {"iss": "Tillhouse"},
        {"sub": None}, {"sub": 1}, {"sub": [claims["sub"]]}, {"sub": f"{claims['sub']}'--"}, {"sub": ""},
        {"sid": None}, {"sid": "*"}, {"sid": {}}, {"sid": claims["sub"]}, {"sub": claims["sid"]},
        {"scope": None},
    )  # fmt: skip
    for changed in wrong:
        assert status(signed(key, header, claims | changed)) == 401, changed
        assert status(signed(key, header, {n: v for n, v in claims.items() if n not in changed})) in (
            (200, 401) if "nbf" in changed else (401,)
        )
    for data in (
        b"[]",
        b"1",
        b"null",
        b'"x"',
        b"",
        b"\xff",
        b"[" * 2000,
        b'{"sub":' * 300,
        b"{" + b" " * 2000,
    ):
        assert status(signed(key, header, data)) == 401
        assert status(signed(key, data, claims)) == 401
    text = signed(key, header, claims)
    head, body, mark = text.split(".")
    for odd in (
        f"{head}.{body}.{mark}.", f".{head}.{body}.{mark}", f"{head}..{mark}", f"{head}.{body}",
        f"{head}.{body}.{mark[:-2]}",
        f"{head}.{body}.{mark[::-1]}", f"{body}.{head}.{mark}", f"{head}.{body}.{part(b'')}", text.upper(),
        text[::-1],
        json.dumps({"payload": body, "signatures": [{"protected": head, "signature": mark}]}),
        jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b"{}", OctKey.import_key(key[:32])),
    ):  # fmt: skip
        assert status(odd) == 401, odd
    assert watch.state() == before


def test_a_token_is_of_one_kind_and_does_one_thing(service: MakeService, accounts: Accounts) -> None:
    client: Any = service()
    accounts.secret_of("anna", "analyst", kind="user")
    token = logged_in(client)
    access, refresh = token["access_token"], token["refresh_token"]
    assert client.get(ME, headers={"Authorization": f"Bearer {refresh}"}).status_code == 401
    for text in (
        access,
        f" {refresh}",
        f"{refresh} ",
        refresh.swapcase(),
        refresh[:-1],
        f"{refresh}\0",
        refresh * 50,
    ):
        response = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": text})
        assert (response.status_code, response.json["code"]) == (400, "invalid_grant")
    # None of these was the token itself: it still works.
    assert renewed(client, refresh)["refresh_token"] != refresh


def test_what_is_nearly_basic_authentication_logs_nobody_in(
    service: MakeService, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    secret = accounts.secret_of("till")
    form = {"grant_type": "client_credentials"}
    before = watch.state()
    for value in (
        b"till", secret.encode(), f":{secret}".encode(), b"till:", f"till:{secret}:".encode(),
        f"till: {secret}".encode(),
        f"TILL\0:{secret}".encode(), b"\xff\xfe:\xff", f"till%00:{secret}".encode(), b":" * 5000, b"",
    ):  # fmt: skip
        header = {"Authorization": f"Basic {base64.b64encode(value).decode()}"}
        response = client.post(
            TOKEN, data=form, headers=header, environ_base={"REMOTE_ADDR": f"192.0.2.{len(value) % 250}"}
        )
        assert response.status_code in (400, 401, 429), value
    for text in (
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + "x" * 9000,
        "Digest username=till",
        "Negotiate abc",
        "\xff",
    ):
        response = client.post(
            TOKEN, data=form, headers={"Authorization": text}, environ_base={"REMOTE_ADDR": "192.0.2.251"}
        )
        assert response.status_code in (400, 401, 429), text
    # The header of another scheme takes nothing from a body that is right.
    right = form | {"client_id": "till", "client_secret": secret}
    assert watch.state() == before
    assert client.post(TOKEN, data=right, headers={"Authorization": "Bearer x"}).status_code == 200


def test_nobody_ends_the_session_of_another_without_its_token(
    service: MakeService, accounts: Accounts, anna: tuple[dict[str, Any], dict[str, Any]], watch: Watch
) -> None:
    client = service()
    header, claims = anna
    other = accounts.add("ben")["Authorization"].removeprefix("Bearer ")
    before = watch.state()
    for token in (
        claims["sid"], claims["sub"], f"session {claims['sid']}", signed(b"another key", header, claims),
        "anna",
        signed(accounts.key, header, claims | {"aud": "another"}),
        signed(accounts.key, header | {"typ": "JWT"}, claims),
    ):  # fmt: skip
        assert client.post(REVOKE, data={"token": token}).status_code == 200
    assert watch.state() == before
    assert client.post(REVOKE, data={"token": other}).status_code == 200
    assert (
        client.get(
            ME, headers={"Authorization": f"Bearer {signed(accounts.key, header, claims)}"}
        ).status_code
        == 200
    )


def test_parameters_of_a_login_in_the_address_or_twice_are_refused(
    service: MakeService, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    accounts.add("anna")
    form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    before = watch.state()
    for name, value in form.items():
        rest = {key: given for key, given in form.items() if key != name}
        assert client.post(TOKEN, query_string={name: value}, data=rest).status_code == 400
        assert client.post(TOKEN, data=rest | {name: [value, value]}).status_code == 400
    for odd in (
        {"username": "anna", "password": [PASSWORD, "x"]},
        {"username[]": "anna"},
        {"username[$ne]": ""},
    ):
        assert client.post(TOKEN, data={"grant_type": "password", **odd}).status_code == 400
    assert watch.state() == before
