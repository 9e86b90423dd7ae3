"""What mounting the pages adds to the app, and what it must not take away."""

import re

import pytest

from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.dashboard.browsers import sign_in
from tests.api.dashboard.driving import Pages


@pytest.fixture
def pages(client: StrictClient) -> Pages:
    return Pages(client)


@pytest.mark.parametrize("path", ["/", "/data", "/findings", "/?range=all&region=Asia"])
def test_pages_are_html_that_fetches_nothing_from_elsewhere(pages: Pages, path: str) -> None:
    response = pages.client.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
    assert "unsafe-eval" not in policy
    addresses = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert addresses
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)
    for address in addresses:
        assert pages.client.get(address).status_code == 200


def test_unknown_addresses_are_still_problems(pages: Pages) -> None:
    for path in ("/nothing", "/dashboard/", "/dashboard/nothing"):
        response = pages.client.get(path)
        assert (response.status_code, response.mimetype) == (404, "application/problem+json")


def test_redrawing_is_not_on_record_but_what_a_page_starts_is(
    make_client: object, accounts: Accounts, golden: int
) -> None:
    accounts.add("anna", "analyst")
    pages = Pages(make_client(accounts=True))  # type: ignore[operator]
    sign_in(pages.client)
    pages.call("content.children", {"place.pathname": "/"})
    assert [action for _, action, *_ in accounts.audit()] == ["POST /sign-in"]
    pages.call("data-address.search", {"refresh.n_clicks": 1})
    assert [(who, action, status) for who, action, _, _, status, _ in accounts.audit()[1:]] == [
        ("anna", "POST /refresh", 503)
    ]


def test_who_has_not_signed_in_gets_no_data(make_client: object, accounts: Accounts, golden: int) -> None:
    pages = Pages(make_client(accounts=True))  # type: ignore[operator]
    assert pages.client.get("/").headers["Location"] == "/sign-in?next=%2F"
    response = pages.client.post(
        "/dashboard/_dash-update-component", json={}, headers={"Referer": "http://localhost/data?refresh=1"}
    )
    assert response.json == {
        "multi": True,
        "response": {},
        "sideUpdate": {"away": {"href": "/sign-in?next=%2Fdata%3Frefresh%3D1"}},
    }
    for path in ("_dash-layout", "_dash-dependencies"):
        found = pages.client.get(f"/dashboard/{path}").json
        assert found is not None
        assert found.keys() == {"multi", "response", "sideUpdate"}


def test_another_sites_page_can_redraw_nothing(pages: Pages) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        response = pages.client.post("/dashboard/_dash-update-component", json={}, headers=headers)
        assert response.status_code == 403
