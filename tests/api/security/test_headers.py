"""Headers that are too long, no text, or pretend: they change nothing but their own answer."""

import json
import logging
from collections.abc import Callable
from itertools import product
from uuid import UUID

import pytest

from pipeline.warehouse.connect import connect
from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.logins import ME, REVOKE, TOKEN
from tests.api.security.state import Watch

MakeService = Callable[..., StrictClient]
NAMES = (
    "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Forwarded",
    "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range", "Referer",
    "Sec-Fetch-Site", "TE", "User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Real-IP", "X-Request-Id", "Traceparent", "Idempotency-Key", "Content-Type", "Origin", "Expect",
)  # fmt: skip
HOSTS = (
    "evil.example", "localhost,evil.example", "evil.example,localhost",
    "localhost evil.example", "127.1", "0x7f.0.0.1", "2130706433", "[::ffff:127.0.0.1]",
    "localhost.", "ⅼocalhost", "[::1", "::1", "-", "x" * 5000,
)  # fmt: skip
ODD = ("", "x" * 60_000, "é", "\xff\xfe", "'; drop table app.jobs; --", "*", 'a, b; c="d', "{}")


def test_no_odd_header_is_a_fault_of_the_service(
    service: MakeService, accounts: Accounts, watch: Watch, golden: int
) -> None:
    client, headers = service(), accounts.add("anna")
    before = watch.state()
    for name, value in product(NAMES, ODD):
        for path in ("/api/v1/revenue/total", "/api/v1/exports"):
            response = client.get(path, headers=headers | {name: value})
            assert response.status_code in (200, 304, 400, 401, 403, 406, 422), (name, value, response.text)
        # Without the scope, a write is refused whatever else it says.
        assert client.post("/refresh", headers=headers | {name: value}).status_code in (401, 403)
    assert watch.state() == before


def test_no_other_host_is_served_whatever_else_is_said(
    service: MakeService, accounts: Accounts, watch: Watch
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    before = watch.state()
    lies = {
        "X-Forwarded-Host": "localhost", "X-Host": "localhost", "Forwarded": "host=localhost",
        "X-Original-Host": "localhost", "X-Forwarded-Server": "localhost",
    }  # fmt: skip
    for host in HOSTS:
        asked = {"environ_overrides": {"HTTP_HOST": host}}
        for path in ("/healthz", ME):
            for more in ({}, lies):
                refused = client.get(path, headers=headers | more, **asked)
                assert (refused.status_code, refused.json and refused.json["code"]) == (
                    403,
                    "host_not_allowed",
                ), host
        assert client.post("/refresh", headers=headers | lies, **asked).status_code == 403
    assert watch.state() == before


def test_no_answer_repeats_what_a_header_says_of_addresses(service: MakeService, accounts: Accounts) -> None:
    client, headers = service(), accounts.add("root", "admin")
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil"}
    response = client.post("/refresh", headers=headers | lies)
    assert response.status_code == 202
    assert response.headers["Location"].startswith("/api/v1/refreshes/")
    assert "evil" not in response.text
    for path in ("/lineage/", "/docs/", "/api/v1/orders/"):
        assert "evil" not in str(client.get(path, headers=headers | lies).headers)


def test_a_request_id_is_a_uuid_or_our_own(
    service: MakeService, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    wanted = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    assert client.get("/healthz", headers={"X-Request-Id": wanted.upper()}).headers["X-Request-Id"] == wanted
    for given in (
        "x",
        "1",
        f"{wanted}0",
        f"{wanted} {wanted}",
        "../../x",
        "'; drop table app.audit; --",
        "é",
    ):
        response = client.post("/refresh?unknown=1", headers=headers | {"X-Request-Id": given})
        assert str(UUID(response.headers["X-Request-Id"])) == response.headers["X-Request-Id"]
        assert response.headers["X-Request-Id"] != given
    with connect(accounts.urls.owner) as connection:
        rows = connection.execute("select count(distinct request_id) from app.audit").fetchone()
    assert rows == (7,)


def test_the_address_on_record_is_the_connections_own(service: MakeService, accounts: Accounts) -> None:
    client = service()
    accounts.add("anna")
    lies = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    client.post("/refresh", headers=accounts.token("anna") | lies, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    with connect(accounts.urls.owner) as connection:
        assert connection.execute("select address from app.audit").fetchall() == [("192.0.2.9",)]


def test_failed_logins_are_counted_by_the_connection_not_by_what_it_claims(
    service: MakeService, accounts: Accounts
) -> None:
    client = service()
    accounts.add("anna")
    form = {"grant_type": "password", "username": "anna", "password": "wrong"}
    tried = [
        client.post(
            TOKEN, data=form, headers={"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}
        )
        for n in range(11)
    ]
    assert [response.status_code for response in tried] == [400] * 10 + [429]


def test_neither_records_nor_logs_of_denied_attempts_hold_a_secret(
    service: MakeService, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = service()
    secret = accounts.secret_of("till", "viewer")
    bearer = accounts.token("till")["Authorization"]
    token = bearer.removeprefix("Bearer ")
    basic = {"Authorization": "Basic dGlsbDpzZWNyZXQtb2YtdGlsbA=="}
    for headers in (
        {"Authorization": bearer},
        {"Authorization": f"{bearer}x"},
        basic,
        {"Cookie": f"t={token}"},
    ):
        client.post("/refresh", headers=headers)
        client.post("/api/v1/imports", headers=headers, data=b"x", content_type="text/csv")
        client.delete("/api/v1/refreshes/00000000-0000-0000-0000-000000000000", headers=headers)
        client.post(f"/refresh?token={token}&{token}=1&{secret}", headers=headers)
        client.post(f"/{secret}/{token}", headers=headers)
        client.post("/refresh", headers=headers | {"Idempotency-Key": secret, "X-Request-Id": secret})
        client.post("/refresh", headers=headers | {"Origin": f"https://{secret}", "User-Agent": secret})
    for form in (
        {"grant_type": "client_credentials", "client_id": secret, "client_secret": "till"},
        {"grant_type": "client_credentials", "client_id": "till", "client_secret": f"{secret}x"},
        {"grant_type": "password", "username": PASSWORD, "password": secret},
        {"grant_type": "refresh_token", "refresh_token": secret},
        {"grant_type": secret},
        {"grant_type": "client_credentials", "client_id": "till", "client_secret": secret, "scope": secret},
    ):
        client.post(TOKEN, data=form, headers=basic if form["grant_type"] == "x" else {})
    client.post(REVOKE, data={"token": token, "token_type_hint": secret})
    with connect(accounts.urls.owner) as connection:
        rows = connection.execute("select to_jsonb(a)::text from app.audit a").fetchall()
    assert len(rows) > 20
    for written in (json.dumps(rows), caplog.text):
        for hidden in (secret, token, PASSWORD, "c2VjcmV0", "secret-of-till"):
            assert hidden not in written
