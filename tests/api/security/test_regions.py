"""A caller limited to regions is answered as if nothing else had ever been sold."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.access import JOB, Principal
from api.app import close, create_app
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.published import Line, publish
from tests.api.security.regional import OWN, QUESTIONS, address, asked, lines_of_regions
from tests.api.security.routes import FORMATS, ROUTES
from tests.conftest import Warehouse

MakeService = Callable[..., StrictClient]
PublishLines = Callable[[list[Line]], int]


@pytest.fixture
def lines(publish_lines: PublishLines) -> list[Line]:
    """Lines of three regions are published."""
    made = lines_of_regions()
    publish_lines(made)
    return made


def alone(other: Warehouse, lines: Sequence[Line]) -> FlaskClient:
    """A client, limited in nothing, of a service that has these lines alone."""
    with connect(other.urls.owner) as connection:
        publish(connection, lines)
    return create_app(
        other.settings.model_copy(update={"rate_limit": "1000000/minute"}), other.urls
    ).test_client()


def content(response: TestResponse, format: str) -> Any:
    """What an answer says, without what names its build and its place in a list."""
    assert response.status_code == 200, response.text
    if format == "json":
        assert response.json is not None
        meta = {name: response.json["meta"].get(name) for name in ("range", "comparison", "data_as_of")}
        return response.json["data"], meta, response.json.get("page", {}).get("has_more")
    if format == "csv":
        return response.data
    read: Any = pq.read_table if format == "parquet" else lambda data: pa.ipc.open_stream(data).read_all()
    return read(io.BytesIO(response.data)).replace_schema_metadata(None)


def test_every_route_that_answers_limited_callers_is_asked() -> None:
    regional = {r.path for r in ROUTES if r.method == "GET" and r.needs == "analytics:read" and r.is_regional}
    assert regional == {*QUESTIONS, *OWN}


@pytest.mark.parametrize("regions", [("Asia",), ("Åland", "Asia")], ids=["one", "two"])
def test_every_question_is_answered_as_over_those_regions_alone(
    service: MakeService,
    accounts: Accounts,
    lines: list[Line],
    other_warehouse: Warehouse,
    regions: tuple[str, ...],
) -> None:
    headers = accounts.add("anna", regions=regions)
    client, of_region = service(), alone(other_warehouse, [line for line in lines if line.region in regions])
    whole = accounts.add("ben")
    try:
        order_id = next(line.order_id for line in lines if line.region == "Asia" and line.source == "web")
        for path, query in asked():
            for format in FORMATS if len(regions) == 1 else ("json", "csv"):
                question = address(path, query, order_id, format=format)
                found = content(client.get(question, headers=headers), format)
                assert found == content(of_region.get(question), format), question
            # The comparison is worth something: without the limit the answer is another one.
            if not query and path.startswith("/api/v1/revenue"):
                told = client.get(address(path, query, order_id, format=format), headers=whole)
                assert content(told, format) != found, query
    finally:
        close(of_region.application)  # type: ignore[arg-type]


def test_pages_of_a_limited_caller_hold_its_regions_alone(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    client, headers = service(), accounts.add("anna", regions=("Asia",))
    rows, cursor = [], ""
    while True:
        answer = client.get(f"/api/v1/orders?limit=17{cursor}", headers=headers).json
        assert answer is not None
        rows.extend(answer["data"])
        if not answer["page"]["has_more"]:
            break
        cursor = f"&cursor={answer['page']['next_cursor']}"
    assert {row["region"] for row in rows} == {"Asia"}
    assert len(rows) == sum(line.region == "Asia" for line in lines)


def test_what_explains_a_number_is_limited_as_the_number_is(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    client, headers = service(), accounts.add("anna", regions=("Asia",))
    # Who is asked for nothing but the newest build and the first day of the data needs no limit.
    free = ("core.builds", "select min(sale_date) from marts.revenue_daily")
    for path, query in asked():
        question = address(path, query, lines[0].order_id)
        plain = client.get(question, headers=headers)
        explained = client.get(address(path, query, lines[0].order_id, explain="true"), headers=headers)
        if plain.status_code == 404:
            assert explained.status_code == 404
            continue
        assert (plain.json, explained.json) != (None, None)
        assert plain.json["data"] == explained.json["data"], question  # type: ignore[index]
        told = explained.json["meta"]["explain"]  # type: ignore[index]
        asking = [text for text in told["statements"] if not any(part in text for part in free)]
        assert asking, question
        for statement in asking:
            assert "'Asia'" in statement or "{Asia}" in statement, statement
            assert "Europe" not in statement
        if told["lines"]:
            behind = client.get(f"{told['lines']}&limit=500", headers=headers).json
            assert behind is not None
            assert {row["region"] for row in behind["data"]} <= {"Asia"}


def test_another_region_is_refused_by_name_in_every_format(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    client, headers = service(), accounts.add("anna", regions=("Asia",))
    paths = [path for path in QUESTIONS if path not in ("/api/v1/products", "/api/v1/customers")]
    for path in paths:
        for asked_for in ("Europe", "Nowhere", "asia", "ASIA", "Asia ", "Asia%00", "%2A", "A_ia", "%25"):
            for mixed in (
                f"region={asked_for}",
                f"region=Asia&region={asked_for}",
                f"region={asked_for}&region=Asia",
            ):
                refused = client.get(address(path, mixed), headers=headers)
                code = refused.json and refused.json["code"]
                expected = ((403, "region_not_allowed"), (422, "invalid_value"))["%00" in asked_for]
                assert (refused.status_code, code) == expected, (path, mixed)
        for format in ("csv", "parquet", "arrow"):
            refused = client.get(address(path, "region=Europe", format=format), headers=headers)
            assert refused.json is not None
            assert refused.json["code"] == "region_not_allowed"


def test_an_order_of_another_region_is_as_unknown_as_one_that_never_was(
    service: MakeService, accounts: Accounts, lines: list[Line]
) -> None:
    client, headers = service(), accounts.add("anna", regions=("Asia",))
    in_asia = {line.order_id for line in lines if line.region == "Asia"}
    elsewhere = next(line.order_id for line in lines if line.order_id not in in_asia)
    for format in ("json", "csv"):
        answers = [
            client.get(f"/api/v1/orders/{order_id}?format={format}", headers=headers)
            for order_id in (elsewhere, "never-was")
        ]
        assert answers[0].status_code == answers[1].status_code
        if answers[0].status_code == 404:
            details = [answer.json["detail"] for answer in answers]  # type: ignore[index]
            assert details[0].replace(elsewhere, "never-was") == details[1]
        else:
            assert answers[0].data == answers[1].data


@pytest.mark.parametrize("regions", [(), ("Nowhere",)], ids=["none", "one that is not there"])
def test_a_caller_of_no_region_sees_nothing(
    service: MakeService, lines: list[Line], regions: tuple[str, ...]
) -> None:
    client = service()
    environ: dict[str, Any] = client.environ_base
    environ[JOB] = Principal(None, "anna", frozenset(("analytics:read",)), regions)
    for path, query in asked():
        paged = path not in ("/api/v1/revenue/total", "/api/v1/products/top", "/api/v1/customers/summary")
        answer = client.get(address(path, query, **({"limit": "500"} if paged else {})))
        if answer.status_code == 404 and path == "/api/v1/orders/{order_id}":
            continue
        assert answer.json is not None
        data = answer.json["data"]
        for row in data if isinstance(data, list) else [data]:
            shown = {name: value for name, value in row.items() if name not in ("bucket", "comparison")}
            assert set(shown.values()) <= {0, "0.00", None}, (path, query, row)
            assert set(row) <= {"bucket", "comparison"} | set(shown)
        rows = client.get(address(path, query, format="csv")).data.count(b"\r\n") - 1
        assert rows == (len(data) if isinstance(data, list) else 1), (path, query)


def test_the_categories_of_other_regions_are_not_told(
    service: MakeService, accounts: Accounts, publish_lines: PublishLines
) -> None:
    shoes = [line for line in lines_of_regions() if line.product_id == "P3" and line.region != "Åland"][:6]
    moved = [Line(**vars(line) | {"category": f"Of {line.region}", "region": line.region}) for line in shoes]
    assert {line.region for line in moved} == {"Asia", "Europe"}
    publish_lines(moved)
    client, headers = service(), accounts.add("anna", regions=("Asia",))
    for question in ("/api/v1/products", "/api/v1/products?format=csv", "/api/v1/products?explain=true"):
        assert "Of Europe" not in client.get(question, headers=headers).text, question
    filtered = client.get("/api/v1/products?category=Of+Europe", headers=headers).json
    assert filtered is not None
    assert filtered["data"] == []
