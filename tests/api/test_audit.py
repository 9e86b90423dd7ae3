"""The record of writes: who, what, from where, and what became of it."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from pipeline.warehouse.connect import connect
from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.refresh_jobs import started

MakeClient = Callable[..., StrictClient]


def test_a_write_is_on_record_with_who_what_and_what_became_of_it(
    make_client: MakeClient, fake: FakeDagster, accounts: Accounts
) -> None:
    client = make_client(fake, accounts=True)
    headers = accounts.add("anna", "analyst")
    response = client.post("/refresh", headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert accounts.audit() == [
        ("anna", "POST /refresh", response.headers["Location"], "succeeded", 202, None)
    ]
    with connect(accounts.urls.owner) as connection:
        row = connection.execute(
            "select principal_id = (select principal_id from app.principals), request_id, address,"
            " finished_at >= at from app.audit"
        ).fetchone()
    assert row == (True, UUID(response.headers["X-Request-Id"]), "192.0.2.7", True)


def test_reads_are_not_on_record(make_client: MakeClient, accounts: Accounts) -> None:
    client = make_client(accounts=True)
    client.get("/api/v1/builds", headers=accounts.add("anna"))
    client.get("/api/v1/builds")
    client.open("/refresh", method="OPTIONS")
    assert accounts.audit() == []


NOBODY = "00000000-0000-0000-0000-000000000000"


def test_what_is_denied_is_on_record_too(
    make_client: MakeClient, fake: FakeDagster, accounts: Accounts
) -> None:
    client = make_client(fake, accounts=True)
    client.post("/refresh", headers=accounts.add("anna"))
    client.post("/refresh")
    client.post("/refresh", headers={"Authorization": "Bearer x"})
    client.delete(f"/api/v1/refreshes/{NOBODY}", headers=accounts.token("anna"))
    assert fake.runs == {}
    assert accounts.audit() == [
        ("anna", "POST /refresh", None, "denied", 403, "missing_scope"),
        ("anonymous", "POST /refresh", None, "denied", 401, "unauthenticated"),
        ("anonymous", "POST /refresh", None, "denied", 401, "invalid_token"),
        ("anna", "DELETE /api/v1/refreshes/<uuid:refresh_id>", NOBODY, "denied", 403, "missing_scope"),
    ]


def test_what_no_limit_keeps_out_does_not_fill_the_record(
    make_client: MakeClient, fake: FakeDagster, accounts: Accounts
) -> None:
    client = make_client(fake, accounts=True)
    headers = accounts.add("anna", "admin")
    answers = [
        client.post("/nothing", headers=headers),
        client.delete(f"/nothing/{NOBODY}"),
        client.post("/api/v1/builds", headers=headers),
        client.post("/refresh", headers=headers | {"Host": "evil.example"}),
        client.post("/refresh", headers=headers | {"Origin": "https://evil.example"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 405, 403, 403]
    assert accounts.audit() == []
    assert fake.runs == {}


def test_a_record_that_is_complete_is_not_rewritten_and_no_record_is_removed(
    caller: StrictClient, accounts: Accounts
) -> None:
    started(caller)
    kept = accounts.audit()
    with connect(accounts.urls.app, autocommit=True) as service:
        for statement in (
            "update app.audit set outcome = 'failed'",
            "update app.audit set principal_name = 'somebody else'",
            "update app.audit set outcome = null, finished_at = null",
            "delete from app.audit",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(statement)
    with connect(accounts.urls.owner, autocommit=True) as owner:
        for statement in ("update app.audit set action = 'nothing'", "delete from app.audit"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(statement)
    assert accounts.audit() == kept


def test_logins_are_on_record_by_the_account_and_never_with_a_secret(
    make_client: MakeClient, accounts: Accounts
) -> None:
    client = make_client(accounts=True)
    accounts.secret_of("anna", kind="user")
    form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    token = client.post("/api/v1/auth/token", data=form).json
    assert token is not None
    client.post("/api/v1/auth/token", data=form | {"password": "a wrong password"})
    # A password that was typed as the name must not be kept.
    client.post("/api/v1/auth/token", data=form | {"username": PASSWORD})
    client.post("/api/v1/auth/revoke", data={"token": token["refresh_token"]})
    records = accounts.audit()
    target = records[-1][2]
    assert target.startswith("session ")
    assert records == [
        ("anna", "POST /api/v1/auth/token", "anna", "succeeded", 200, None),
        ("anonymous", "POST /api/v1/auth/token", "anna", "failed", 400, "invalid_grant"),
        ("anonymous", "POST /api/v1/auth/token", None, "failed", 400, "invalid_grant"),
        ("anonymous", "POST /api/v1/auth/revoke", target, "succeeded", 200, None),
    ]
    with connect(accounts.urls.owner) as connection:
        everything = str(connection.execute("select a::text from app.audit a").fetchall())
    for secret in (PASSWORD, "a wrong password", token["access_token"], token["refresh_token"]):
        assert secret not in everything


def test_without_accounts_the_only_user_is_on_record(caller: StrictClient, accounts: Accounts) -> None:
    job = started(caller)
    assert accounts.audit() == [
        ("local", "POST /refresh", f"/api/v1/refreshes/{job['id']}", "succeeded", 202, None)
    ]


def test_what_goes_wrong_is_on_record(
    caller: StrictClient, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("api.jobs.start", fail)
    assert caller.post("/refresh").status_code == 500
    assert caller.post("/refresh?unknown=1").status_code == 400
    assert accounts.audit() == [
        ("local", "POST /refresh", None, "failed", 500, "internal_error"),
        ("local", "POST /refresh", None, "failed", 400, "unknown_parameter"),
    ]


def test_a_write_is_on_record_before_it_begins(
    caller: StrictClient, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr("api.jobs.start", lambda *_, **__: seen.extend(accounts.audit()))
    caller.post("/refresh")
    assert seen == [("local", "POST /refresh", None, None, None, None)]


def test_what_cannot_be_put_on_record_is_not_done(
    caller: StrictClient, fake: FakeDagster, accounts: Accounts
) -> None:
    with connect(accounts.urls.owner) as connection:
        connection.execute("alter table app.audit add constraint none_today check (action = '')")
    response = caller.post("/refresh")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (503, "audit_unavailable")
    assert response.headers["Retry-After"] == "5"
    assert fake.runs == {}
    with connect(accounts.urls.owner) as connection:
        assert connection.execute("select count(*) from app.jobs").fetchone() == (0,)
        connection.execute("alter table app.audit drop constraint none_today")
    assert caller.post("/refresh").status_code == 202


def test_a_record_that_cannot_be_completed_takes_no_answer_away(
    caller: StrictClient, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(accounts.urls.owner) as connection:
        connection.execute("alter table app.audit add constraint unfinished check (outcome is null)")
    assert caller.post("/refresh").status_code == 202
    assert accounts.audit() == [("local", "POST /refresh", None, None, None, None)]
    assert "its outcome is not on record" in caplog.text
