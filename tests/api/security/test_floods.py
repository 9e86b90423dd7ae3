"""What costs the service much more than it costs a caller."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.import_jobs import IMPORTS, LINES
from tests.api.logins import TOKEN

MakeService = Callable[..., StrictClient]
# Of the thread's own time; what is quadratic takes minutes.
MOST_SECONDS = 2.0


def test_the_document_that_anybody_may_read_is_made_once(
    service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    generate: Any = APIFlask._generate_spec

    def counted(app: APIFlask) -> Any:
        made.append(app)
        return generate(app)

    monkeypatch.setattr(APIFlask, "_generate_spec", counted)
    plain = FlaskClient(service().application)
    documents = {plain.get("/openapi.json").data for _ in range(5)}
    assert len(documents) == 1
    assert len(made) == 1


def test_the_document_is_the_same_for_all_who_ask_at_once(service: MakeService) -> None:
    app = service().application

    def get(_: int) -> bytes:
        return bytes(FlaskClient(app).get("/openapi.json").data)

    with ThreadPoolExecutor(6) as pool:
        documents = set(pool.map(get, range(12)))
    assert len(documents) == 1
    assert json.loads(documents.pop())["openapi"] == "3.1.0"


def test_no_long_text_takes_long_to_be_refused_or_answered(
    service: MakeService, accounts: Accounts, golden: int
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    long = 60_000

    def quick(name: str, ask: Callable[[], Any]) -> None:
        began = time.thread_time()
        response = ask()
        seconds = time.thread_time() - began
        assert response.status_code < 500, name
        # Nor is the answer much longer than the question: no list of all that is wrong with a list.
        assert len(response.data) < 50_000, (name, len(response.data))
        assert seconds < MOST_SECONDS, (name, seconds)

    for name, query in {
        "a date of digits": "start_date=" + "0" * long,
        "a date of dashes": "start_date=" + "-" * long,
        "a number": "limit=" + "9" * long,
        "a fraction": "limit=1." + "0" * long,
        "commas": "sort=" + "," * long,
        "signs": "sort=" + "-" * long,
        "decimals": "cuts=" + "0." + "1" * long,
        "exponent": "monetary_cuts=1e" + "9" * 30,
        "blanks": "search=" + "+" * long,
        "wildcards": "search=" + "%25_" * 300,
        "backslashes": "search=" + "%5C" * 900,
        "names": "&".join(f"a{n}=1" for n in range(10_000)),
        "one name": "&".join(["region=x"] * 10_000),
        "percents": "region=" + "%" * long,
        "cursor": "cursor=" + "W" * 999,
    }.items():
        path = "/api/v1/customers/segments" if "cuts" in query else "/api/v1/revenue"
        path = "/api/v1/products" if "search" in query else path
        quick(name, partial(client.get, f"{path}?{query}", headers=headers))
    for name, value in {
        "Accept": "a/b;q=0.1," * 6000,
        "If-None-Match": 'W/"' * 20_000,
        "If-Modified-Since": "Mon, " * 10_000,
        "Authorization": "Bearer " + "." * long,
        "Cookie": "a=b;" * 15_000,
        "Range": "bytes=" + "0-0," * 15_000,
        "Content-Type": "multipart/form-data; " + "a=b; " * 10_000,
        "Origin": "https://" + "[" * long,
        "Host": "localhost" + ":" * long,
        "X-Request-Id": "{" * long,
    }.items():
        quick(name, partial(client.get, "/api/v1/revenue", headers=headers | {name: value}))
    file = b"Content-Disposition: form-data; name=file; filename=a\r\n\r\n"
    for name, boundary, body in (
        ("parts", "x", b"--x\r\n\r\n\r\n" * 20_000 + b"--x--"),
        ("headers of a part", "x", b"--x\r\n" + b"A: b\r\n" * 30_000),
        ("almost boundaries", "x", b"--x\r\n" + file + b"\r\n--" * 100_000),
        ("a long boundary", "-" * 70, b"-" * 1_000_000),
        ("a disposition", "x", b"--x\r\nContent-Disposition: " + b'a="' * 20_000 + b"\r\n\r\n"),
    ):
        kind = f"multipart/form-data; boundary={boundary}"
        quick(name, partial(client.post, IMPORTS, headers=headers, data=body, content_type=kind))
    form = "application/x-www-form-urlencoded"
    quick("pairs", partial(client.post, TOKEN, data=b"&".join([b"a=b"] * 15_000), content_type=form))
    quick("percents of a form", partial(client.post, TOKEN, data=b"%" * long, content_type=form))


def test_an_upload_that_is_refused_leaves_no_disk_full(
    service: MakeService, accounts: Accounts, warehouse: Any
) -> None:
    client, headers = service(upload_limit_mb=1), accounts.add("root", "editor")
    folder = warehouse.settings.uploads_folder
    for query, body, kind in (
        ("?source=..", LINES, "text/csv"),
        ("", b"x" * (1024 * 1024 + 1), "text/csv"),
        ("", b"--x\r\n" + b"x" * 500_000, "multipart/form-data; boundary=x"),
        ("?mode=none", LINES, "text/csv"),
        ("?unknown=1", LINES, "text/csv"),
        ("", LINES, "text/html"),
    ):
        refused = client.post(f"{IMPORTS}{query}", headers=headers, data=body, content_type=kind)
        assert 400 <= refused.status_code < 500, query
    refused = client.post(
        IMPORTS, headers=headers | {"Idempotency-Key": "é"}, data=LINES, content_type="text/csv"
    )
    assert refused.status_code == 400
    assert not folder.exists() or list(folder.iterdir()) == []
