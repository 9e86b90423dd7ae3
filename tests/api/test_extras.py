"""Revenue by columns that only the files have: groups, filters, pages, files, and names nobody declared."""

import csv
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from io import BytesIO, StringIO

import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg.types.json import Jsonb

from tests.api.conftest import StrictClient
from tests.api.published import Line, golden_lines
from tests.api.test_limited_callers import limit_to
from tests.conftest import Warehouse

QUOTE = 'it\'s "50%" %(x)s; drop table core.builds --'
CAMPAIGNS = ("Spring", "Spring", "Summer", None, "Summer", "Spring")


def declare(warehouse: Warehouse, *names: str) -> None:
    """A landed batch whose source declares these columns."""
    with psycopg.connect(warehouse.urls.owner) as connection:
        connection.execute(
            "insert into raw.batches"
            " (batch_id, call_id, source, mode, options, status, file_name, requested_by)"
            " values (1, 1, 'default', 'append', %s, 'landed', 'sales.csv', 'test')",
            (Jsonb({"extra": names}),),
        )


@pytest.fixture
def campaigns(warehouse: Warehouse, publish_lines: Callable[[list[Line]], int]) -> int:
    """The six lines, each with its campaign and a column of an unpleasant name."""
    declare(warehouse, "campaign", QUOTE)
    extras = [{QUOTE: "a'b"} | ({"campaign": campaign} if campaign else {}) for campaign in CAMPAIGNS]
    return publish_lines(
        [replace(line, extra=extra) for line, extra in zip(golden_lines(), extras, strict=True)]
    )


def test_revenue_is_grouped_by_a_declared_column(client: StrictClient, campaigns: int) -> None:
    found = client.get("/api/v1/revenue?group_by=extra.campaign").json
    assert found is not None
    assert [
        (row["extra.campaign"], row["net_revenue"], row["orders"], row["customers"]) for row in found["data"]
    ] == [("Spring", "4091.10", 3, 3), ("Summer", "441.4675", 2, 2), (None, "180.00", 1, 1)]
    assert next(iter(found["data"][0])) == "extra.campaign"


def test_it_is_filtered_and_compared_by_it_beside_other_groups(client: StrictClient, campaigns: int) -> None:
    address = "/api/v1/revenue?extra.campaign=Spring&extra.campaign=Summer&region=Asia&grain=year"
    found = client.get(f"{address}&group_by=extra.campaign,region&compare=previous_year").json
    assert found is not None
    assert [
        (row["bucket"]["start_date"], row["extra.campaign"], row["net_revenue"]) for row in found["data"]
    ][-2:] == [("2024-01-01", "Spring", "2468.10"), ("2024-01-01", "Summer", "143.976")]
    total = client.get("/api/v1/revenue/total?extra.campaign=Summer").json
    assert total is not None
    assert total["data"]["net_revenue"] == "441.4675"


def test_pages_are_ordered_by_it_and_go_on_where_they_ended(client: StrictClient, campaigns: int) -> None:
    address = "/api/v1/revenue?group_by=extra.campaign&sort=-extra.campaign&limit=1"
    names, cursor = [], ""
    for _ in range(3):
        found = client.get(f"{address}{cursor}").json
        assert found is not None
        names += [row["extra.campaign"] for row in found["data"]]
        cursor = f"&cursor={found['page']['next_cursor']}"
    assert names == ["Summer", "Spring", None]


def test_each_question_has_an_etag_of_its_own(client: StrictClient, campaigns: int) -> None:
    addresses = [
        "/api/v1/revenue?group_by=extra.campaign",
        "/api/v1/revenue?group_by=extra.campaign&extra.campaign=Spring",
        "/api/v1/revenue?group_by=extra.campaign&extra.campaign=Summer",
    ]
    tags = [client.get(address).headers["ETag"] for address in addresses]
    assert len(set(tags)) == 3
    again = client.get(addresses[1], headers={"If-None-Match": tags[1]})
    assert again.status_code == 304


def test_files_have_the_column(client: StrictClient, campaigns: int) -> None:
    address = "/api/v1/revenue?group_by=extra.campaign&format="
    rows = list(csv.DictReader(StringIO(client.get(f"{address}csv").text)))
    assert [(row["extra.campaign"], row["net_revenue"]) for row in rows] == [
        ("Spring", "4091.10"),
        ("Summer", "441.4675"),
        ("", "180.00"),
    ]
    table = pq.read_table(BytesIO(client.get(f"{address}parquet").data))
    assert table["extra.campaign"].to_pylist() == ["Spring", "Summer", None]
    assert table["net_revenue"].to_pylist()[0] == Decimal("4091.10")


def test_the_lines_behind_the_number_are_those_of_the_column(client: StrictClient, campaigns: int) -> None:
    found = client.get("/api/v1/revenue?extra.campaign=Summer&explain=true").json
    assert found is not None
    lines = client.get(found["meta"]["explain"]["lines"]).json
    assert lines is not None
    assert [row["order_id"] for row in lines["data"]] == ["1005", "1003"]


def test_names_and_values_are_only_ever_values(client: StrictClient, campaigns: int) -> None:
    query = {"group_by": f"extra.{QUOTE}", f"extra.{QUOTE}": "a'b", "sort": f"extra.{QUOTE}"}
    found = client.get("/api/v1/revenue", query_string=query).json
    assert found is not None
    assert [(row[f"extra.{QUOTE}"], row["net_revenue"]) for row in found["data"]] == [("a'b", "4712.5675")]
    empty = client.get("/api/v1/revenue", query_string={f"extra.{QUOTE}": "' or true --"}).json
    assert empty is not None
    assert empty["data"][0]["net_revenue"] == "0.00"


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("group_by=extra.channel", "invalid_parameter", "group_by"),
        ("extra.channel=web", "unknown_parameter", "extra.channel"),
        ("group_by=extra.Campaign", "invalid_parameter", "group_by"),
        ("extra.=x", "unknown_parameter", "extra."),
        ("extra=x", "unknown_parameter", "extra"),
        ("group_by=extra", "invalid_parameter", "group_by"),
    ],
)
def test_a_column_that_no_source_declares_is_refused_with_those_that_are(
    client: StrictClient, campaigns: int, query: str, code: str, parameter: str
) -> None:
    found = client.get(f"/api/v1/revenue?{query}")
    assert found.status_code == 400
    assert found.json is not None
    assert found.json["code"] == code
    assert [error["parameter"] for error in found.json["errors"]] == [parameter]
    if "extra." in query:
        assert "there are extra.campaign, extra.it's" in found.json["detail"]


def test_without_any_declaration_the_message_says_where_to_make_one(
    client: StrictClient, golden: int
) -> None:
    found = client.get("/api/v1/revenue?group_by=extra.campaign")
    assert found.status_code == 400
    assert found.json is not None
    assert found.json["detail"] == (
        "'extra.campaign' is no declared column: no source declares any (extra in sources.toml)."
    )


def test_other_routes_have_no_such_filter(client: StrictClient, campaigns: int) -> None:
    assert client.get("/api/v1/customers/segments?extra.campaign=Spring").status_code == 400


def test_a_caller_limited_to_regions_sees_those_alone(client: StrictClient, campaigns: int) -> None:
    limit_to(client, "Asia")
    found = client.get("/api/v1/revenue?group_by=extra.campaign").json
    assert found is not None
    assert [(row["extra.campaign"], row["net_revenue"]) for row in found["data"]] == [
        ("Spring", "2468.10"),
        ("Summer", "143.976"),
    ]
    outside = client.get("/api/v1/revenue?extra.campaign=Spring&region=Europe")
    assert outside.status_code == 403
