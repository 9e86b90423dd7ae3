"""SQL, patterns and oddities in every parameter of every route: answered as documented, without effect."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.logins import REVOKE, TOKEN
from tests.api.published import Line, golden_lines
from tests.api.security.conftest import Jobs
from tests.api.security.state import Watch

MakeService = Callable[..., StrictClient]
MakeJobs = Callable[[FlaskClient, str], Jobs]

TEXTS = (
    "'",
    "\"'`",
    "' or '1'='1",
    "x'; drop table app.principals; --",
    "x') union select name, secret_hash from app.principals --",
    "'; select pg_sleep(60); --",
    "$$; truncate core.fct_order_lines; $$",
    "E'\\'; delete from core.builds; --",
    '{Asia,"Europe"}',
    "%(region)s {0} {region} %s %%",
    "\\",
    "/* */ -- \n;",
    "\u202e\u0000after a zero",
    "ÅÄÖ 😀 \ufeff\u2028\ud7ff",
    "x" * 1001,
)
# For what is no text: numbers, dates, words of a list.
OTHERS = (
    "1 or 1=1",
    "1); drop table app.jobs; --",
    "",
    "-1",
    "9" * 400,
    "0x10",
    "1e3",
    "NaN",
    "२०२४-01-01",
    "\0",
)


def operations(client: FlaskClient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every GET route of the document with what it takes."""
    app: Any = client.application
    for path, methods in app.spec["paths"].items():
        if "get" in methods:
            yield path, methods["get"]


def is_free_text(parameter: dict[str, Any]) -> bool:
    schema = parameter["schema"].get("items", parameter["schema"])
    return schema.get("type") == "string" and not {"enum", "format", "pattern", "const"} & schema.keys()


def answered(response: TestResponse) -> TestResponse:
    """The client has checked that the answer is documented; a fault of the service is none."""
    assert response.status_code < 500 or response.status_code == 503, response.text
    assert "Traceback" not in response.text
    assert "psycopg" not in response.text
    response.close()
    return response


def test_no_parameter_of_a_question_is_sql(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    accounts.add("exporter", "admin")
    jobs = make_jobs(client, "exporter")
    headers, before, asked = accounts.token("exporter"), None, 0
    before = watch.state()
    for path, operation in operations(client):
        plain = path.format(**vars(jobs))
        given = [parameter for parameter in operation["parameters"] if parameter["in"] == "query"]
        texts = [parameter["name"] for parameter in given if is_free_text(parameter)]
        for text in TEXTS if texts else ():
            # All at once, so that a cursor that is none does not keep the others from the database.
            for names in (texts, [name for name in texts if name not in ("cursor", "sort", "group_by")]):
                query = urlencode(dict.fromkeys(names, text), encoding="utf-8", errors="surrogatepass")
                answered(client.get(f"{plain}?{query}", headers=headers))
                asked += 1
        for parameter in given:
            if parameter["name"] not in texts:
                for text in OTHERS:
                    answered(client.get(f"{plain}?{urlencode({parameter['name']: text})}", headers=headers))
                    asked += 1
    after = watch.state()
    # Following a job asks Dagster how it is.
    assert after["rows"] == before["rows"]
    assert after["files"] == before["files"]
    assert after["runs"] == before["runs"]
    assert asked > 700


def test_no_part_of_an_address_is_sql_or_a_path(
    service: MakeService, make_jobs: MakeJobs, accounts: Accounts, watch: Watch
) -> None:
    client = service()
    accounts.add("exporter", "admin")
    make_jobs(client, "exporter")
    headers = accounts.token("exporter")
    with_variables = [path for path, _ in operations(client) if "{" in path]
    assert len(with_variables) == 12
    before = watch.state()
    for text in (
        *TEXTS,
        *OTHERS,
        "..",
        ".",
        "%2e%2e%2f",
        "~",
        "a" * 5000,
        "a\rX-Injected: 1",
        '"; filename="x.exe',
    ):
        written = quote(text, safe="", errors="surrogatepass")
        for path in with_variables:
            for format in ("", "?format=csv"):
                address = path[: path.index("{")] + written + path[path.index("}") + 1 :]
                response = answered(client.get(address + format, headers=headers))
                assert "X-Injected" not in response.headers
                assert response.headers.get("Content-Disposition", "").count("filename=") <= 1
        for address in (f"/docs/{written}", f"/{written}", f"/api/v1/{written}", f"/lineage/{written}"):
            assert answered(client.get(address, headers=headers)).status_code in (200, 404)
    assert watch.state() == before


def test_what_is_searched_for_is_text_and_no_pattern(
    service: MakeService, accounts: Accounts, publish_lines: Callable[[list[Line]], int]
) -> None:
    line = golden_lines()[0]
    names = ("100% wool", "a_b", "axb", "back\\slash", "plain", "(regular)* [expression]+")
    publish_lines(
        [
            Line(
                **vars(line)
                | {"product_id": f"P{n}", "product_name": name, "customer_id": f"C{n}", "customer_name": name}
            )
            for n, name in enumerate(names)
        ]
    )
    client, headers = service(), accounts.add("anna")
    for path, key in (("products", "product_name"), ("customers", "customer_name")):
        for search, found in (
            ("%", ["100% wool"]),
            ("_", ["a_b"]),
            ("a_b", ["a_b"]),
            ("\\", ["back\\slash"]),
            ("%%", []),
            (".*", []),
            ("* [", ["(regular)* [expression]+"]),
            ("PLAIN", ["plain"]),
        ):
            answer = client.get(f"/api/v1/{path}?{urlencode({'search': search})}", headers=headers).json
            assert answer is not None
            assert [row[key] for row in answer["data"]] == found, search


def test_a_thousand_values_of_a_filter_are_answered(
    service: MakeService, accounts: Accounts, golden: int
) -> None:
    client, headers = service(), accounts.add("anna")
    query = "&".join(f"region=R{n}" for n in range(1000)) + "&region=Asia"
    answer = client.get(f"/api/v1/revenue?{query}", headers=headers).json
    assert answer is not None
    assert answer["data"][0]["net_revenue"] == "2612.076"
    for name in ("sort", "group_by"):
        many = "&".join([f"{name}=-orders"] * 2000) if name == "sort" else ",".join(["region"] * 2000)
        address = f"/api/v1/revenue?{many}" if name == "sort" else f"/api/v1/revenue?group_by={many}"
        answered(client.get(address, headers=headers))
    answered(client.get("/api/v1/customers/segments?cuts=" + ",".join(["0.1"] * 5000), headers=headers))


BODIES = (
    '{"full": "x\'; drop table app.jobs; --"}',
    '{"mode": "append\'; drop table app.jobs; --"}',
    '{"sources": ["\\u0000"]}',
    '{"sources": ["\\ud800"]}',
    '{"sources": {"a": 1}}',
    '{"sources": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"full": true, "full": false, "nothing": 1}',
    '{"full": 1' + "0" * 20_000 + "}",
    '{"full": -1e999999}',
    '{"full": NaN}',
    '{"full": 1}',
    '{"full": "yes"}',
    '{"__proto__": {"full": true}, "constructor": 1}',
    '{"path": "/api/v1/orders", "query": {"region": ["\\u0000"]}}',
    '{"path": "/api/v1/orders", "query": {"\\u0000": "x"}}',
    '{"path": "/api/v1/orders", "query": {"source": ["' + "x" * 1001 + '"]}}',
    '{"path": "/api/v1/orders", "query": {"start_date": "2024-01-01\'; drop table app.jobs; --"}}',
    '{"path": "/api/v1/orders", "query": [["region", "Asia"]]}',
    '{"path": "\\u0000"}',
    '{"path": "/api/v1/orders/\\r\\nX-Injected: 1"}',
    '{"path": "' + "/" * 1000 + '"}',
    '{"path": "//evil.example/api/v1/orders"}',
    '{"path": "http://[::1/api/v1/orders"}',
    '{"path": "/api/v1/orders?limit=1"}',
    '{"path": "/api/v1/exports"}',
    '{"path": "/metrics"}',
    "null",
    "1",
    '"{}"',
    "\ufeff{}",
    "{}{}",
    "{'full': true}",
    "\x00",
)


@pytest.mark.parametrize("path", ["/refresh", "/api/v1/refreshes", "/api/v1/exports"])
def test_no_odd_body_starts_anything(
    service: MakeService, accounts: Accounts, watch: Watch, golden: int, path: str
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    before = watch.state()
    for body in BODIES:
        for data in (
            body.encode("utf-8", "surrogatepass"),
            body.encode("utf-16"),
            body.encode("utf-8") + b"\xff",
        ):
            response = client.post(path, data=data, content_type="application/json", headers=headers)
            answered(response)
            assert 400 <= response.status_code < 500, (body[:200], response.text)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json"):
        assert client.post(path, data=b"{}", content_type=kind, headers=headers).status_code == 415
    assert watch.state() == before


def test_odd_words_in_forms_and_keys_do_nothing(
    service: MakeService, accounts: Accounts, watch: Watch, golden: int
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    before = watch.state()
    for text in TEXTS:
        raw = text.encode("utf-8", "surrogatepass")
        for name in ("grant_type", "username", "client_id", "refresh_token"):
            form = {"grant_type": b"password", "username": b"root", "password": b"wrong", name: raw}
            if name == "client_id":
                form |= {"grant_type": b"client_credentials"}
            elif name == "refresh_token":
                form |= {"grant_type": b"refresh_token"}
            response = client.post(
                TOKEN, data=form, environ_base={"REMOTE_ADDR": f"192.0.2.{len(text) % 250}"}
            )
            assert answered(response).status_code in (400, 401, 429), (name, text)
        for kind in ("import", "refresh", "check", "append"):
            options = urlencode({"source": raw, "mode": kind, "filename": raw})
            answered(
                client.post(f"/api/v1/imports?{options}", data=b"", content_type="text/csv", headers=headers)
            )
        assert client.post(REVOKE, data={"token": raw}).status_code in (200, 400)
    assert watch.state() == before


def test_keys_of_jobs_are_text_alone(service: MakeService, accounts: Accounts, watch: Watch) -> None:
    client, headers = service(), accounts.add("root", "editor")
    for key in ("'; drop table app.jobs; --", "%s %(id)s", "{}", " ", "a" * 255, "~"):
        answers = [client.post("/refresh", headers=headers | {"Idempotency-Key": key}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json["data"]["id"] == answers[1].json["data"]["id"]  # type: ignore[index]
        assert answers[1].headers["Idempotent-Replayed"] == "true"
    before = watch.state()
    for key in ("", "a" * 256, "é", "\t", "a\x7f"):
        refused = client.post("/refresh", headers=headers | {"Idempotency-Key": key})
        assert (refused.status_code, json.loads(refused.data)["code"]) == (400, "invalid_parameter"), key
    assert watch.state() == before
