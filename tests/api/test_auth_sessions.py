"""Logins continued and ended: rotation, replay, revocation, and changes of the account."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline.accounts.principals import set_active, set_password, set_role
from tests.api.accounts import PASSWORD, Accounts
from tests.api.conftest import StrictClient
from tests.api.logins import REVOKE, TOKEN, logged_in, refused, renewed, who

MakeClient = Callable[..., StrictClient]


@pytest.fixture
def client(make_client: MakeClient, accounts: Accounts) -> StrictClient:
    """A client of an API with accounts, of which there is anna."""
    accounts.secret_of("anna", "analyst", kind="user")
    return make_client(accounts=True)


def test_a_refused_scope_uses_no_refresh_token_up(client: StrictClient) -> None:
    token = logged_in(client, scope="analytics:read")["refresh_token"]
    wider = {"grant_type": "refresh_token", "refresh_token": token, "scope": "refresh:run"}
    assert refused(client, **wider) == (400, "invalid_scope")
    assert renewed(client, token)["scope"] == "analytics:read"


def test_a_narrower_refresh_narrows_its_access_token_alone(client: StrictClient) -> None:
    narrow = renewed(client, logged_in(client)["refresh_token"], scope="analytics:read")
    assert who(client, narrow)["scopes"] == ["analytics:read"]
    assert renewed(client, narrow["refresh_token"])["scope"] == "analytics:read refresh:run"


def test_a_replayed_refresh_token_ends_the_session_and_its_access_tokens(client: StrictClient) -> None:
    first = logged_in(client)
    other = logged_in(client)
    second = renewed(client, first["refresh_token"])
    assert who(client, second)["name"] == "anna"
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert refused(client, **again) == (400, "invalid_grant")
    assert [who(client, token) for token in (first, second)] == ["invalid_token"] * 2
    assert refused(client, **again | {"refresh_token": second["refresh_token"]}) == (400, "invalid_grant")
    assert who(client, other)["name"] == "anna"


def test_of_two_refreshes_at_once_one_wins(make_client: MakeClient, accounts: Accounts) -> None:
    accounts.secret_of("anna", kind="user")
    client = make_client(accounts=True)
    form = {"grant_type": "refresh_token", "refresh_token": logged_in(client)["refresh_token"]}

    def use(_: int) -> int:
        return client.application.test_client().post(TOKEN, data=form).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [200, 400, 400, 400]


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_session(client: StrictClient, which: str) -> None:
    token, other = logged_in(client), logged_in(client)
    response = client.post(REVOKE, data={"token": token[which], "token_type_hint": which})
    assert (response.status_code, response.json) == (200, {})
    assert who(client, token) == "invalid_token"
    form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    assert refused(client, **form) == (400, "invalid_grant")
    assert who(client, other)["name"] == "anna"


def test_revoking_what_is_no_token_is_no_error(client: StrictClient) -> None:
    for token in ("x", "a.b.c", "\0", "x" * 5000):
        assert client.post(REVOKE, data={"token": token}).status_code == 200
    assert refused(client, REVOKE, other="x") == (400, "invalid_request")
    assert refused(client, REVOKE, token=["x", "y"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("change", "options"),
    [(set_active, {"is_active": False}), (set_password, {"password": PASSWORD + " two"})],
)
def test_a_disabled_account_and_a_changed_password_end_tokens_at_once(
    client: StrictClient, accounts: Accounts, change: Any, options: dict[str, Any]
) -> None:
    token = logged_in(client)
    accounts.change(change, "anna", **options)
    assert who(client, token) == "invalid_token"
    form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    assert refused(client, **form) == (400, "invalid_grant")
    form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    assert refused(client, **form) == (400, "invalid_grant")


def test_a_changed_role_holds_for_tokens_that_are_out(client: StrictClient, accounts: Accounts) -> None:
    token = logged_in(client)
    accounts.change(set_role, "anna", "viewer")
    assert who(client, token)["scopes"] == ["analytics:read"]
    accounts.change(set_role, "anna", "admin")
    # A token never gains what it was not made for; the next one does.
    assert who(client, token)["scopes"] == ["analytics:read", "refresh:run"]
    assert "admin" in renewed(client, token["refresh_token"])["scope"]
