"""The six lines of the sample, loaded by the product, under every route that answers data."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from api.app import close, create_app
from pipeline.warehouse.embedded import EmbeddedServer
from tests.api.conftest import StrictClient
from tests.api.golden_figures import (
    ELSEWHERE,
    EXACT,
    NOTHING,
    OF_1003,
    PARTS,
    SUMMARY_2024,
    TOTAL,
    TREND,
    segment,
)
from tests.conftest import fresh_warehouse
from tests.pipeline.landing.files import SAMPLE


@pytest.fixture(scope="module")
def client(postgres_server: EmbeddedServer) -> Iterator[StrictClient]:
    """A client over the six lines, as `tillhouse load` publishes them."""
    with fresh_warehouse(postgres_server) as warehouse:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "load", SAMPLE],
            env=os.environ | warehouse.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        app = create_app(warehouse.settings, warehouse.urls)
        app.test_client_class = StrictClient
        found = app.test_client()
        assert isinstance(found, StrictClient)
        yield found
        close(app)


def data(client: StrictClient, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return answer.json["data"]


def address_of(route: str, rest: str) -> str:
    return route.split("/<")[0] + rest


def test_no_route_with_data_is_left_out(client: StrictClient) -> None:
    routes = {
        rule.rule
        for rule in client.application.url_map.iter_rules()
        if rule.methods and "GET" in rule.methods
    }
    assert routes == EXACT.keys() | PARTS.keys() | ELSEWHERE


@pytest.mark.parametrize("route", EXACT)
def test_the_route_has_the_golden_figures(client: StrictClient, route: str) -> None:
    rest, expected = EXACT[route]
    assert data(client, address_of(route, rest)) == expected


@pytest.mark.parametrize("route", PARTS)
def test_the_route_has_these_golden_figures(client: StrictClient, route: str) -> None:
    rest, expected = PARTS[route]
    found = data(client, address_of(route, rest))
    if isinstance(expected, dict):
        found, expected = [found], [expected]
    parts = [{name: row[name] for name in wanted} for row, wanted in zip(found, expected, strict=True)]
    assert parts == expected


def test_every_answer_names_its_range_and_build(client: StrictClient) -> None:
    answer = client.get("/api/v1/revenue/by-region?start_date=2024-01-01").json
    assert answer is not None
    meta = answer["meta"]
    assert (meta["build_id"], meta["data_as_of"], meta["currency"]) == (1, "2024-05-18", "USD")
    assert meta["range"] == {"start_date": "2024-01-01", "end_date": "2024-05-18"}


def test_the_year_2024_by_region(client: StrictClient) -> None:
    found = data(client, "/api/v1/revenue/by-region?start_date=2024-01-01&end_date=2024-12-31")
    assert {row["region"]: row["gross_revenue"] for row in found} == {
        "Asia": "2777.97", "Europe": "1299.00", "North America": "349.99", "South America": "180.00",
    }  # fmt: skip


def test_months_without_sales_are_there_with_zeros(client: StrictClient) -> None:
    found = data(client, "/api/v1/revenue/trend?start_date=2024-02-01&end_date=2024-04-30&region=Asia")
    share = {"share_of_total": "1.000000"}
    assert found == [
        {"bucket": TREND[2]["bucket"], **OF_1003, **share},
        {"bucket": TREND[3]["bucket"], **NOTHING},
        {"bucket": TREND[4]["bucket"], **NOTHING},
    ]


def test_a_year_s_figures_beside_those_of_the_year_before(client: StrictClient) -> None:
    found = data(
        client, "/api/v1/revenue/total?start_date=2024-01-01&end_date=2024-12-31&compare=previous_year"
    )
    # 4388.5675 − 324; 4388.5675 ÷ 324 = 13.5449614…
    assert found["comparison"]["net_revenue"] == {
        "previous": "324.00", "difference": "4064.5675", "ratio": "13.544961",
    }  # fmt: skip
    assert found["comparison"]["orders"] == {"previous": 1, "difference": 4, "ratio": "5.000000"}


def test_the_best_product_of_each_region(client: StrictClient) -> None:
    found = data(client, "/api/v1/products/top?n=1&within=region")
    assert [(row["rank"], row["region"], row["product"]["id"], row["net_revenue"]) for row in found] == [
        (1, "Asia", "P456", "2468.10"),
        (1, "Europe", "P456", "1299.00"),
        (1, "North America", "P123", "324.00"),
        (1, "South America", "P123", "180.00"),
    ]


def test_the_refresh_left_the_findings_of_its_build(client: StrictClient) -> None:
    [kept] = data(client, "/api/v1/findings/builds")
    page = client.get(kept["link"]).text
    assert "Net revenue in April 2024 was 297.49 USD, from 1 order." in page


def test_customers_of_2024(client: StrictClient) -> None:
    assert data(client, "/api/v1/customers/summary?start_date=2024-01-01") == [SUMMARY_2024]


def test_segments_in_sum(client: StrictClient) -> None:
    found = data(client, "/api/v1/customers/segments")
    assert [row for row in found if row["customers"]] == [
        segment("loyal", "0.000000", "2648.10", "0.561923", "2648.100000"),
        segment("potential_loyalists", "26.000000", "1596.4915", "0.338773", "1596.491500"),
        segment("hibernating", "80.000000", "467.976", "0.099304", "467.976000"),
    ]


def test_lifetime_values_in_sum(client: StrictClient) -> None:
    answer = client.get("/api/v1/customers/lifetime-value?by=cohort").json
    assert answer is not None
    # 4712.5675 ÷ 3 = 1570.8558333…
    expected = {"customers": 3, "orders": 6, "net_revenue": "4712.5675", "mean_net_revenue": "1570.855833"}
    assert {name: answer["meta"]["totals"][name] for name in expected} == expected
    assert [(row["cohort"], row["net_revenue"]) for row in answer["data"]] == [
        ("2023-12-01", "467.976"),
        ("2024-01-01", "1596.4915"),
        ("2024-03-01", "2648.10"),
    ]


def test_every_measure_is_defined(client: StrictClient) -> None:
    assert [row["name"] for row in data(client, "/api/v1/definitions")] == list(TOTAL)


def test_the_metrics_say_how_far_the_data_reaches(client: StrictClient) -> None:
    moment = datetime.combine(date(2024, 5, 18), datetime.min.time(), UTC).timestamp()
    lines = client.get("/metrics").text.splitlines()
    [found] = [line.split()[1] for line in lines if line.startswith("tillhouse_data_as_of")]
    assert float(found) == moment
    assert 'tillhouse_build_info{build_id="1"} 1.0' in lines
