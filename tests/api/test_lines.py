"""The lines behind a number, and how a number is explained."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from pipeline.answers.measures import MEASURES
from tests.api.conftest import StrictClient
from tests.api.published import ZERO, Line, numbered


def every_line(client: StrictClient, query: str) -> list[dict[str, Any]]:
    rows, cursor = [], ""
    while True:
        answer = client.get(f"/api/v1/orders?limit=61{query}{cursor}").json
        assert answer is not None
        rows.extend(answer["data"])
        if not answer["page"]["has_more"]:
            return rows
        cursor = f"&cursor={answer['page']['next_cursor']}"


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["source"], row["order_id"], row["product"]["id"], row["occurrence"]


def test_the_lines_under_a_number_add_up_to_it(client: StrictClient, many_lines: list[Line]) -> None:
    for query in ("", "&region=Asia&start_date=2024-01-01", "&category=Shoes&source=web&end_date=2024-02-01"):
        found = every_line(client, query)
        total = client.get(f"/api/v1/revenue/total?{query.removeprefix('&')}").json
        assert total is not None
        for name in ("net_revenue", "gross_revenue", "shipping", "returns"):
            assert sum((Decimal(row[name]) for row in found), ZERO) == Decimal(total["data"][name])
        assert len({key(row) for row in found}) == len(found)
        assert [row["sale_date"] for row in found] == sorted(
            (row["sale_date"] for row in found), reverse=True
        )
    assert {key(row) for row in every_line(client, "")} == {
        (line.source, line.order_id, line.product_id, line.occurrence) for line in numbered(many_lines)
    }


def test_one_order_has_its_lines(client: StrictClient, many_lines: list[Line]) -> None:
    line = Random(3).choice(many_lines)
    answer = client.get(f"/api/v1/orders/{line.order_id}?source={line.source}").json
    assert answer is not None
    assert {key(row) for row in answer["data"]} == {
        (x.source, x.order_id, x.product_id, x.occurrence)
        for x in numbered(many_lines)
        if (x.source, x.order_id) == (line.source, line.order_id)
    }
    for missing in ("none", "x" * 1001, "a%00b"):
        assert client.get(f"/api/v1/orders/{missing}").status_code == 404


def test_a_cursor_of_lines_is_stale_after_a_newer_build(
    client: StrictClient, many_lines: list[Line], publish_lines: Callable[[list[Line]], int]
) -> None:
    page = client.get("/api/v1/orders?limit=5").json
    assert page is not None
    cursor = page["page"]["next_cursor"]
    other = client.get(f"/api/v1/orders?limit=5&region=Asia&cursor={cursor}")
    assert (other.status_code, other.json and other.json["code"]) == (400, "invalid_cursor")
    publish_lines(many_lines[:50])
    stale = client.get(f"/api/v1/orders?limit=5&cursor={cursor}")
    assert (stale.status_code, stale.json and stale.json["code"]) == (409, "stale_cursor")


def test_a_number_is_explained(client: StrictClient, golden: int) -> None:
    query = "start_date=2024-01-01&region=Asia&region=Europe"
    answer = client.get(f"/api/v1/revenue/by-category?{query}&explain=true").json
    assert answer is not None
    explained = answer["meta"]["explain"]
    assert [measure["name"] for measure in explained["measures"]] == [measure.name for measure in MEASURES]
    assert "marts.revenue_monthly" in explained["tables"]
    [statement] = [sql for sql in explained["statements"] if '"revenue_monthly"' in sql]
    assert "2024-01-01" in statement
    assert "{Asia,Europe}" in statement
    assert explained["lines"] == "/api/v1/orders?start_date=2024-01-01&region=Asia&region=Europe"
    lines = client.get(explained["lines"]).json
    assert lines is not None
    assert sum(Decimal(row["net_revenue"]) for row in lines["data"]) == sum(
        Decimal(row["net_revenue"]) for row in answer["data"]
    )
    assert "explain" not in client.get(f"/api/v1/revenue/by-category?{query}").json["meta"]  # type: ignore[index]
