"""Hosts and origins: who may call."""

from collections.abc import Callable

import pytest

from api.listening import accounts_required
from pipeline.settings import Settings
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_served(client: StrictClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[", "evil@localhost.example"]
)
def test_other_names_are_refused(client: StrictClient, host: str) -> None:
    response = client.get("/healthz", headers={"Host": host})
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (403, "host_not_allowed")


def test_a_name_in_the_settings_is_served(make_client: Callable[..., StrictClient]) -> None:
    client = make_client(allowed_hosts=("numbers.example",))
    assert client.get("/healthz", headers={"Host": "numbers.example:80"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_starts_no_refresh(
    make_client: Callable[..., StrictClient], headers: dict[str, str]
) -> None:
    fake = FakeDagster()
    response = make_client(fake).post("/refresh", headers={"Host": "localhost:8000", **headers})
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (403, "origin_not_allowed")
    assert fake.runs == {}


def test_the_services_own_pages_may_call(make_client: Callable[..., StrictClient]) -> None:
    headers = {
        "Host": "localhost:8000",
        "Origin": "http://localhost:8000",
        "Sec-Fetch-Site": "same-origin",
    }
    assert make_client(FakeDagster()).post("/refresh", headers=headers).status_code == 202


def test_a_link_on_another_site_may_lead_here(client: StrictClient) -> None:
    assert client.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_an_origin_in_the_settings_may_call(make_client: Callable[..., StrictClient]) -> None:
    client = make_client(FakeDagster(), allowed_origins=("https://dashboard.example",))
    for origin in ("https://dashboard.example", "https://DASHBOARD.example"):
        assert client.post("/refresh", headers={"Origin": origin}).status_code == 202
    for origin in (
        "http://dashboard.example",
        "https://dashboard.example:8443",
        "https://dashboard.example.evil.example",
        "https://evil.example/https://dashboard.example",
        "https://[",
        "null",
        "",
    ):
        response = client.post("/refresh", headers={"Origin": origin})
        assert response.json is not None
        assert (response.status_code, response.json["code"]) == (403, "origin_not_allowed"), origin


def test_accounts_change_nothing_about_hosts_and_origins(make_client: Callable[..., StrictClient]) -> None:
    client = make_client(accounts=True)
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert client.get("/healthz", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "numbers.example", ""])
def test_whoever_is_reached_from_elsewhere_asks_for_a_login(host: str) -> None:
    assert accounts_required(Settings(api_host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_on_loopback_the_setting_decides(host: str) -> None:
    assert not accounts_required(Settings(api_host=host))
    assert accounts_required(Settings(api_host=host, accounts=True))
