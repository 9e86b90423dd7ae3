"""What can be asked of the revenue routes, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import StrictClient
from tests.api.published import Line, golden_lines


def problem_of(client: StrictClient, path: str) -> tuple[int, str, list[str]]:
    response = client.get(path)
    body = response.json
    assert body is not None
    return response.status_code, body["code"], [error["parameter"] for error in body.get("errors", [])]


def data_of(client: StrictClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.data
    assert response.json is not None
    return response.json["data"]


def test_before_the_first_build_the_answer_is_no_build(client: StrictClient) -> None:
    response = client.get("/api/v1/revenue/total")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json is not None
    assert response.json["code"] == "no_build"


@pytest.mark.parametrize(
    ("query", "status", "code", "parameters"),
    [
        ("/api/v1/revenue?colour=red&shape=round", 400, "unknown_parameter", ["colour", "shape"]),
        ("/api/v1/revenue?compare=last_year", 400, "invalid_parameter", ["compare"]),
        ("/api/v1/revenue/total?limit=5", 400, "unknown_parameter", ["limit"]),
        ("/api/v1/revenue/by-region?group_by=region", 400, "unknown_parameter", ["group_by"]),
        ("/api/v1/revenue?start_date=yesterday", 400, "invalid_parameter", ["start_date"]),
        ("/api/v1/revenue?start_date=2024-02-30", 400, "invalid_parameter", ["start_date"]),
        ("/api/v1/revenue?start_date=1704067200", 400, "invalid_parameter", ["start_date"]),
        ("/api/v1/revenue?end_date=2024-01-01T00:00:00", 400, "invalid_parameter", ["end_date"]),
        ("/api/v1/revenue?end_date=", 400, "invalid_parameter", ["end_date"]),
        ("/api/v1/revenue?limit=5&limit=6", 400, "invalid_parameter", ["limit"]),
        ("/api/v1/revenue?grain=fortnight", 400, "invalid_parameter", ["grain"]),
        ("/api/v1/revenue?group_by=colour", 400, "invalid_parameter", ["group_by"]),
        ("/api/v1/revenue?group_by=region,", 400, "invalid_parameter", ["group_by"]),
        ("/api/v1/revenue?limit=many", 400, "invalid_parameter", ["limit"]),
        ("/api/v1/revenue?cursor=nonsense", 400, "invalid_cursor", ["cursor"]),
        ("/api/v1/revenue?cursor=WzEsMiwzXQ", 400, "invalid_cursor", ["cursor"]),
        ("/api/v1/revenue?cursor=%C3%BC", 400, "invalid_cursor", ["cursor"]),
        ("/api/v1/revenue?limit=0", 422, "invalid_value", ["limit"]),
        ("/api/v1/revenue?limit=501", 422, "invalid_value", ["limit"]),
        ("/api/v1/revenue?region=", 422, "invalid_value", ["region"]),
        ("/api/v1/revenue?region=a%00b", 422, "invalid_value", ["region"]),
        ("/api/v1/revenue?sort=colour", 422, "invalid_value", ["sort"]),
        ("/api/v1/revenue?sort=share_of_total", 422, "invalid_value", ["sort"]),
        ("/api/v1/revenue?sort=region", 422, "invalid_value", ["sort"]),
        ("/api/v1/revenue?sort=bucket", 422, "invalid_value", ["sort"]),
        ("/api/v1/revenue?group_by=region&group_by=region", 422, "invalid_value", ["group_by"]),
        ("/api/v1/revenue?start_date=2024-02-01&end_date=2024-01-31", 422, "invalid_range", ["start_date"]),
        ("/api/v1/revenue/trend?grain=day&start_date=1900-01-01", 422, "too_many_buckets", ["grain"]),
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused_by_name(
    client: StrictClient, golden: int, query: str, status: int, code: str, parameters: list[str]
) -> None:
    assert problem_of(client, query) == (status, code, parameters)


def test_both_dates_are_inclusive(client: StrictClient, golden: int) -> None:
    one_day = data_of(client, "/api/v1/revenue/total?start_date=2024-01-03&end_date=2024-01-03")
    assert one_day["net_revenue"] == "1299.00"
    before = data_of(client, "/api/v1/revenue/total?end_date=2024-01-02")
    assert before["net_revenue"] == "324.00"
    after = data_of(client, "/api/v1/revenue/total?start_date=2024-05-18")
    assert after["net_revenue"] == "2468.10"


def test_a_repeated_filter_is_or_and_different_ones_are_and(client: StrictClient, golden: int) -> None:
    path = "/api/v1/revenue/total?category=Shoes&category=Clothing"
    assert data_of(client, path)["net_revenue"] == "647.976"
    assert data_of(client, f"{path}&region=Asia")["net_revenue"] == "143.976"
    assert data_of(client, f"{path}&region=Atlantis")["net_revenue"] == "0.00"


def test_groups_may_be_given_by_commas_or_repeated(client: StrictClient, golden: int) -> None:
    by_comma = data_of(client, "/api/v1/revenue?group_by=region,category")
    assert by_comma == data_of(client, "/api/v1/revenue?group_by=region&group_by=category")
    assert [(row["region"], row["category"], row["net_revenue"]) for row in by_comma] == [
        ("Asia", "Electronics", "2468.10"),
        ("Europe", "Electronics", "1299.00"),
        ("North America", "Shoes", "324.00"),
        ("North America", "Electronics", "297.4915"),
        ("South America", "Shoes", "180.00"),
        ("Asia", "Clothing", "143.976"),
    ]


def test_a_filter_may_hold_commas_quotes_and_percent_signs(
    client: StrictClient, many_lines: list[Line]
) -> None:
    rows = data_of(client, "/api/v1/revenue/by-category?category=Books,%20maps&category=50%25%20off")
    assert {row["category"] for row in rows} == {"Books, maps", "50% off"}
    assert data_of(client, "/api/v1/revenue/by-category?category=';drop table x--") == []


def test_products_and_customers_are_named(client: StrictClient, golden: int) -> None:
    products = data_of(client, "/api/v1/revenue/by-product?limit=2")
    assert [row["product"] for row in products] == [
        {"id": "P456", "name": "iPhone 15 Pro"},
        {"id": "P123", "name": "UltraBoost Running Shoes"},
    ]
    customers = data_of(client, "/api/v1/revenue?group_by=customer&sort=customer&limit=1")
    assert customers[0]["customer"] == {"id": "C101", "name": "Sarah Johnson"}


def test_guests_are_one_group_without_id(client: StrictClient, many_lines: list[Line]) -> None:
    rows = data_of(client, "/api/v1/revenue?group_by=customer&limit=500")
    guests = [row for row in rows if row["customer"]["id"] is None]
    assert [row["customer"] for row in guests] == [{"id": None, "name": None}]
    assert guests[0]["customers"] == 0
    assert guests[0]["orders"] > 0


def test_a_trend_is_by_month_and_has_the_months_without_sales(client: StrictClient, golden: int) -> None:
    rows = data_of(client, "/api/v1/revenue/trend?start_date=2023-11-10&end_date=2024-04-30&region=Asia")
    assert [(row["bucket"]["start_date"], row["bucket"]["is_partial"]) for row in rows] == [
        ("2023-11-01", True),
        ("2023-12-01", False),
        ("2024-01-01", False),
        ("2024-02-01", False),
        ("2024-03-01", False),
        ("2024-04-01", False),
    ]
    assert [row["net_revenue"] for row in rows] == ["0.00", "0.00", "0.00", "143.976", "0.00", "0.00"]
    assert [row["average_order_value"] for row in rows] == [None, None, None, "143.976000", None, None]
    assert rows[3]["bucket"]["end_date"] == "2024-02-29"


def test_groups_in_a_trend_have_every_bucket(client: StrictClient, golden: int) -> None:
    rows = data_of(client, "/api/v1/revenue/trend?grain=quarter&group_by=category")
    assert [(row["bucket"]["start_date"], row["category"], row["net_revenue"]) for row in rows] == [
        ("2023-10-01", "Shoes", "324.00"),
        ("2023-10-01", "Clothing", "0.00"),
        ("2023-10-01", "Electronics", "0.00"),
        ("2024-01-01", "Electronics", "1299.00"),
        ("2024-01-01", "Shoes", "180.00"),
        ("2024-01-01", "Clothing", "143.976"),
        ("2024-04-01", "Electronics", "2765.5915"),
        ("2024-04-01", "Clothing", "0.00"),
        ("2024-04-01", "Shoes", "0.00"),
    ]


def test_pages_follow_one_another(client: StrictClient, golden: int) -> None:
    first = client.get("/api/v1/revenue/by-region?limit=3").json
    assert first is not None
    assert first["page"]["has_more"] is True
    second = client.get(f"/api/v1/revenue/by-region?limit=3&cursor={first['page']['next_cursor']}").json
    assert second is not None
    assert [row["region"] for row in first["data"] + second["data"]] == [
        "Asia", "Europe", "North America", "South America",
    ]  # fmt: skip
    assert second["page"] == {"next_cursor": None, "has_more": False}


def test_a_cursor_is_stale_after_a_newer_build_and_of_no_use_to_another_question(
    client: StrictClient, golden: int, publish_lines: Callable[[list[Line]], int]
) -> None:
    page = client.get("/api/v1/revenue/by-region?limit=1").json
    assert page is not None
    cursor = page["page"]["next_cursor"]
    other = f"/api/v1/revenue/by-category?limit=1&cursor={cursor}"
    assert problem_of(client, other) == (400, "invalid_cursor", ["cursor"])
    publish_lines(golden_lines()[:5])
    same = f"/api/v1/revenue/by-region?limit=1&cursor={cursor}"
    assert problem_of(client, same) == (409, "stale_cursor", ["cursor"])


def test_a_build_without_a_line_answers_zeros(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    publish_lines([])
    total = client.get("/api/v1/revenue/total").json
    assert total is not None
    assert total["data"]["net_revenue"] == "0.00"
    assert total["data"]["average_order_value"] is None
    assert total["meta"]["range"] == {"start_date": None, "end_date": None}
    assert data_of(client, "/api/v1/revenue/trend") == []
    assert data_of(client, "/api/v1/revenue/by-region?start_date=2024-01-01") == []


def test_another_currency_has_its_own_minor_digits(
    make_client: Callable[..., StrictClient], golden: int
) -> None:
    total = make_client(currency="JPY").get("/api/v1/revenue/total").json
    assert total is not None
    assert (total["meta"]["currency"], total["data"]["shipping"]) == ("JPY", "70")
    assert total["data"]["net_revenue"] == "4712.5675"
