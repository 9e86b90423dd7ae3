"""Logging in as clients do: what the tests of logins share."""

from typing import Any

from tests.api.accounts import PASSWORD
from tests.api.conftest import StrictClient

TOKEN, REVOKE, ME = "/api/v1/auth/token", "/api/v1/auth/revoke", "/api/v1/auth/me"


def logged_in(client: StrictClient, **form: str) -> dict[str, Any]:
    given = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    response = client.post(TOKEN, data=form if "grant_type" in form else given | form)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.json is not None
    body: dict[str, Any] = response.json
    return body


def renewed(client: StrictClient, token: str, **form: str) -> dict[str, Any]:
    return logged_in(client, grant_type="refresh_token", refresh_token=token, **form)


def refused(client: StrictClient, path: str = TOKEN, headers: Any = None, **form: Any) -> tuple[int, str]:
    response = client.post(path, data=form, headers=headers)
    assert response.json is not None
    assert response.json["error"] == response.json["code"]
    assert response.json["error_description"] == response.json["detail"]
    return response.status_code, response.json["code"]


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['access_token']}"}


def who(client: StrictClient, token: dict[str, Any]) -> Any:
    response = client.get(ME, headers=bearer(token))
    assert response.json is not None
    return response.json["data"] if response.status_code == 200 else response.json["code"]
