"""Rate limits, and which other sites' pages may call."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis
from werkzeug.test import TestResponse

from api.app import close, create_app
from pipeline.accounts.principals import add_account
from pipeline.accounts.tokens import AccessToken, write_token
from pipeline.settings import Settings, SettingsError, read_settings
from pipeline.warehouse.connect import DatabaseUrls, connect
from pipeline.warehouse.passwords import signing_key
from tests.api.conftest import StrictClient
from tests.api.test_serving import free_port
from tests.conftest import Warehouse

PASSWORD = "four unrelated words"
DEFINITIONS = "/api/v1/definitions"
BUILDS = "/api/v1/builds"
NOWHERE = DatabaseUrls(*["postgresql://nobody@127.0.0.1:1/nothing"] * 4)
MakeClient = Callable[..., StrictClient]


def code(response: TestResponse) -> str | None:
    return response.json.get("code") if response.json else None


def log_in(
    client: StrictClient, name: str, password: str = PASSWORD, address: str = "127.0.0.1"
) -> TestResponse:
    form = {"grant_type": "password", "username": name, "password": password}
    return client.post("/api/v1/auth/token", data=form, environ_base={"REMOTE_ADDR": address})


def bearer(client: StrictClient, name: str) -> dict[str, str]:
    answer = log_in(client, name).json
    assert answer is not None
    return {"Authorization": f"Bearer {answer['access_token']}"}


@pytest.fixture
def accounts(warehouse: Warehouse) -> None:
    """Ann and Bob may log in."""
    signing_key(warehouse.settings.home)
    with connect(warehouse.urls.owner) as connection:
        for name in ("ann", "bob"):
            add_account(connection, name, "user", "viewer", (), PASSWORD)


@pytest.fixture
def redis_server(tool: Callable[[str], str], tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Redis that answers, and its process."""
    port = free_port()
    command = [tool("redis-server"), "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert any(b"Ready to accept connections" in line for line in process.stdout)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.communicate()


def test_a_limit_that_is_none_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLHOUSE_RATE_LIMIT", "often")
    with pytest.raises(SettingsError, match="TILLHOUSE_RATE_LIMIT: String should match"):
        read_settings()


def test_a_caller_that_asks_too_often_is_refused_and_told_when_to_come_again(make_client: MakeClient) -> None:
    client = make_client(rate_limit="3/hour")
    answers = [client.get(DEFINITIONS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}
    assert code(answers[3]) == "rate_limited"
    assert 3590 <= int(answers[3].headers["Retry-After"]) <= 3600
    assert answers[3].headers["RateLimit-Reset"] == answers[3].headers["Retry-After"]
    assert "Retry-After" not in answers[0].headers


def test_all_routes_count_together_and_so_do_addresses_without_one(make_client: MakeClient) -> None:
    client = make_client(rate_limit="3/hour")
    answers = [client.get(path) for path in (DEFINITIONS, "/nothing", "/docs", "/nothing", "/openapi.json")]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 429, 429]


def test_health_and_metrics_can_always_be_asked(make_client: MakeClient) -> None:
    client = make_client(rate_limit="1/hour")
    paths = ("/healthz", "/readyz", "/metrics")
    assert {client.get(path).status_code for path in paths for _ in range(5)} == {200}
    assert "RateLimit-Limit" not in client.get("/healthz").headers


def test_a_refused_refresh_has_changed_nothing(make_client: MakeClient, warehouse: Warehouse) -> None:
    client = make_client(rate_limit="1/hour")
    client.get(DEFINITIONS)
    assert client.post("/refresh").status_code == 429
    with connect(warehouse.urls.owner) as connection:
        counted = connection.execute("select count(*) from app.jobs").fetchone()
    assert counted == (0,)


@pytest.mark.usefixtures("accounts", "golden")
def test_each_account_has_a_limit_of_its_own(make_client: MakeClient) -> None:
    client = make_client(accounts=True, rate_limit="4/hour")
    ann, bob = bearer(client, "ann"), bearer(client, "bob")
    assert [client.get(BUILDS, headers=ann).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    assert client.get(BUILDS, headers=bob).status_code == 200
    # Those without a valid token share their address's: two logins have taken half of it.
    garbage = {"Authorization": "Bearer x.y.z"}
    assert [client.get(BUILDS, headers=garbage).status_code for _ in range(3)] == [401, 401, 429]
    assert client.get(BUILDS, headers=bob).status_code == 200


def test_a_flood_ends_before_postgres_is_asked(settings: Settings) -> None:
    key = signing_key(settings.home)
    app = create_app(settings.model_copy(update={"accounts": True, "rate_limit": "1/hour"}), NOWHERE)
    try:
        token = write_token(key, AccessToken(UUID(int=1), uuid4(), frozenset(("analytics:read",))))
        known, unknown = {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer x.y.z"}
        client = app.test_client()
        assert [client.get(BUILDS, headers=known).status_code for _ in range(2)] == [503, 429]
        assert [client.get(BUILDS, headers=unknown).status_code for _ in range(2)] == [401, 429]
    finally:
        close(app)


@pytest.mark.usefixtures("accounts")
def test_a_flood_of_writes_fills_no_audit(make_client: MakeClient, warehouse: Warehouse) -> None:
    client = make_client(accounts=True, rate_limit="2/hour")
    assert [client.post("/refresh").status_code for _ in range(6)] == [401, 401, 429, 429, 429, 429]
    with connect(warehouse.urls.owner) as connection:
        counted = connection.execute("select count(*) from app.audit").fetchone()
    assert counted == (2,)


@pytest.mark.usefixtures("accounts")
def test_failed_logins_of_one_name_from_one_address_are_limited(make_client: MakeClient) -> None:
    client = make_client(accounts=True)
    tried = [log_in(client, name, "wrong").status_code for name in ["ann", " ANN"] * 5]
    assert tried == [400] * 10
    refused = log_in(client, "ann")
    assert (refused.status_code, code(refused)) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert log_in(client, "bob").status_code == 200
    assert log_in(client, "ann", address="192.0.2.7").status_code == 200


@pytest.mark.usefixtures("accounts")
def test_failed_logins_from_one_address_are_limited_whatever_the_names(make_client: MakeClient) -> None:
    client = make_client(accounts=True)
    tried = [log_in(client, f"name-{number}", "wrong").status_code for number in range(30)]
    assert tried == [400] * 30
    refused = log_in(client, "ann")
    assert (refused.status_code, code(refused)) == (429, "rate_limited")
    assert log_in(client, "ann", address="192.0.2.7").status_code == 200


@pytest.mark.usefixtures("accounts")
def test_logins_that_succeed_are_not_counted(make_client: MakeClient) -> None:
    client = make_client(accounts=True)
    assert {log_in(client, "ann").status_code for _ in range(12)} == {200}


@pytest.mark.usefixtures("accounts")
def test_clients_are_limited_by_their_id_too(make_client: MakeClient) -> None:
    client = make_client(accounts=True)
    form = {"grant_type": "client_credentials"}
    answers = [client.post("/api/v1/auth/token", data=form, auth=("till", "wrong")) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("is_basic", [True, False])
def test_a_name_in_a_field_that_the_grant_does_not_read_is_no_way_around(
    make_client: MakeClient, *, is_basic: bool
) -> None:
    client = make_client(accounts=True)

    def attempt(number: int) -> int:
        form = {"grant_type": "client_credentials", "username": f"name-{number}"}
        if is_basic:
            form["client_id"] = f"name-{number}"
        else:
            form |= {"client_id": "till", "client_secret": "wrong"}
        auth = ("till", "wrong") if is_basic else None
        return client.post("/api/v1/auth/token", data=form, auth=auth).status_code

    assert [attempt(number) for number in range(11)] == [401] * 10 + [429]


@pytest.mark.usefixtures("accounts")
def test_behind_a_proxy_callers_are_told_apart_by_what_it_says(make_client: MakeClient) -> None:
    client = make_client(accounts=True, rate_limit="2/hour", proxies=1)

    def ask(said: str) -> int:
        return client.get(BUILDS, headers={"X-Forwarded-For": said}).status_code

    # What a caller says itself stands before the proxy's own word.
    said = ("192.0.2.1", "9.9.9.9, 192.0.2.1", "8.8.8.8, 192.0.2.1", "192.0.2.2")
    assert [ask(one) for one in said] == [401, 401, 429, 401]
    forwarded = client.get("/healthz", headers={"X-Forwarded-Host": "evil.example"})
    assert forwarded.status_code == 200


@pytest.mark.usefixtures("accounts")
def test_without_a_proxy_nobody_chooses_an_address(make_client: MakeClient) -> None:
    client = make_client(accounts=True, rate_limit="2/hour")
    answers = [client.get(BUILDS, headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


@pytest.mark.usefixtures("accounts")
def test_the_addresses_of_one_ipv6_network_are_one_caller(make_client: MakeClient) -> None:
    client = make_client(accounts=True, rate_limit="2/hour")
    addresses = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")
    answers = [client.get(BUILDS, environ_base={"REMOTE_ADDR": address}) for address in addresses]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 401]


def test_without_redis_each_process_counts_for_itself(make_client: MakeClient) -> None:
    client = make_client(redis_url=f"redis://127.0.0.1:{free_port()}/0", rate_limit="2/hour")
    assert [client.get(DEFINITIONS).status_code for _ in range(3)] == [200, 200, 429]


def test_processes_share_their_counts_through_redis(
    make_client: MakeClient, redis_server: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, process = redis_server
    one = make_client(redis_url=address, rate_limit="3/hour")
    other = make_client(redis_url=address, rate_limit="3/hour")
    answers = [client.get(DEFINITIONS) for client in (one, other, one, other)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    with redis.Redis.from_url(address) as connection:
        assert all(b"tillhouse" in key for key in connection.scan_iter())
    process.kill()
    process.wait()
    assert [one.get(DEFINITIONS).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.usefixtures("accounts")
def test_failed_logins_are_counted_while_redis_is_away(make_client: MakeClient) -> None:
    client = make_client(accounts=True, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    tried = [log_in(client, "ann", "wrong").status_code for _ in range(11)]
    assert tried == [400] * 10 + [429]


ORIGIN = "https://shop.example"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}


def test_pages_of_other_sites_are_refused_unless_they_are_allowed(make_client: MakeClient) -> None:
    closed = make_client()
    for headers in ({"Origin": ORIGIN}, PREFLIGHT):
        refused = closed.options(BUILDS, headers=headers)
        assert (refused.status_code, code(refused)) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in refused.headers
    opened = make_client(allowed_origins=("https://other.example",))
    refused = opened.get(DEFINITIONS, headers={"Origin": ORIGIN})
    assert (refused.status_code, code(refused)) == (403, "origin_not_allowed")
    assert refused.headers.get("Access-Control-Allow-Origin") != ORIGIN


@pytest.mark.parametrize("has_accounts", [False, True])
def test_pages_of_an_allowed_site_may_call(make_client: MakeClient, *, has_accounts: bool) -> None:
    client = make_client(allowed_origins=(ORIGIN, "https://other.example"), accounts=has_accounts)
    asked = PREFLIGHT | {"Access-Control-Request-Headers": "authorization, if-none-match, x-evil"}
    preflight = client.options(BUILDS, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert preflight.headers["Access-Control-Allow-Methods"] == "DELETE, GET, POST"
    assert preflight.headers["Access-Control-Allow-Headers"].lower() == "authorization, if-none-match"
    answer = client.get(DEFINITIONS, headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After, X-Request-Id"
    assert "Origin" in answer.headers["Vary"]


def test_a_page_of_an_allowed_site_can_read_problems_too(make_client: MakeClient) -> None:
    client = make_client(allowed_origins=(ORIGIN,), rate_limit="1/hour")
    answers = [client.get("/nothing", headers={"Origin": ORIGIN}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 429]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {ORIGIN}
