"""The best products, their margins, and the list of them."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import Any

from pyarrow import parquet

from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.published import ZERO, Line
from tests.conftest import Warehouse


def data_of(client: StrictClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(address).json
    assert answer is not None
    rows: list[dict[str, Any]] = answer["data"]
    return rows


def ranked(rows: list[dict[str, Any]], within: str | None = None) -> list[tuple[Any, ...]]:
    return [(*([row[within]] if within else []), row["rank"], row["product"]["id"]) for row in rows]


def test_the_first_products_by_revenue_and_by_quantity(client: StrictClient, golden: int) -> None:
    assert ranked(data_of(client, "/api/v1/products/top?n=2")) == [(1, "P456"), (2, "P123")]
    # Three of each were sold: ids break the tie.
    rows = data_of(client, "/api/v1/products/top?by=quantity")
    assert [(*rank, row["net_units"]) for rank, row in zip(ranked(rows), rows, strict=True)] == [
        (1, "P123", 3), (2, "P456", 3), (3, "P789", 3), (4, "P234", 1),
    ]  # fmt: skip


def test_the_first_products_of_each_category_and_region(client: StrictClient, golden: int) -> None:
    assert ranked(data_of(client, "/api/v1/products/top?within=category&n=1"), "category") == [
        ("Clothing", 1, "P789"), ("Electronics", 1, "P456"), ("Shoes", 1, "P123"),
    ]  # fmt: skip
    assert ranked(data_of(client, "/api/v1/products/top?within=region&n=5&by=quantity"), "region") == [
        ("Asia", 1, "P789"), ("Asia", 2, "P456"), ("Europe", 1, "P456"), ("North America", 1, "P123"),
        ("North America", 2, "P234"), ("South America", 1, "P123"),
    ]  # fmt: skip


def test_rankings_of_many_lines_are_those_of_a_plain_sum(
    client: StrictClient, many_lines: list[Line]
) -> None:
    start, end = date(2023, 12, 1), date(2024, 2, 15)
    found = data_of(client, f"/api/v1/products/top?within=region&n=3&start_date={start}&end_date={end}")
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in many_lines:
        if start <= line.sale_date <= end:
            sums[line.region, line.product_id] += line.net
    expected = []
    for region in sorted({region for region, _ in sums}):
        of_region = sorted((-net, product) for (where, product), net in sums.items() if where == region)
        expected += [(region, rank, product) for rank, (_, product) in enumerate(of_region[:3], start=1)]
    assert ranked(found, "region") == expected


def test_margins_count_the_lines_whose_cost_is_known(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    day = date(2024, 1, 1)
    publish_lines(
        [
            Line("1", "A", day, 2, Decimal(10), unit_cost=Decimal("6.5")),
            Line("2", "A", day, 1, Decimal(10)),
            Line("3", "B", day, 3, Decimal(4), unit_cost=Decimal(0)),
            Line("4", "C", day, 1, Decimal(9)),
            Line("5", "A", day, -1, Decimal(10), unit_cost=Decimal("6.5")),
        ]
    )
    rows = data_of(client, "/api/v1/products/margins")
    assert [
        (r["product"]["id"], r["net_revenue"], r["cost"], r["margin"], r["margin_rate"], r["cost_coverage"])
        for r in rows
    ] == [
        ("B", "12.00", "0.00", "12.00", "1.000000", "1.000000"),
        ("A", "20.00", "6.50", "3.50", "0.350000", "0.500000"),
        ("C", "9.00", None, None, None, "0.000000"),
    ]


def test_margins_of_many_lines_are_those_of_a_plain_sum(client: StrictClient, many_lines: list[Line]) -> None:
    rows = {r["product"]["id"]: r for r in data_of(client, "/api/v1/products/margins?category=Shoes")}
    for product, row in rows.items():
        lines = [x for x in many_lines if x.product_id == product and x.category == "Shoes"]
        costed = [x for x in lines if x.cost is not None]
        cost = sum((x.cost for x in costed if x.cost is not None), ZERO)
        net, known = sum((x.net for x in lines), ZERO), sum((x.net for x in costed), ZERO)
        assert Decimal(row["margin"]) == known - cost
        coverage = (known / net).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        assert Decimal(row["cost_coverage"]) == coverage
    assert set(rows) == {line.product_id for line in many_lines if line.category == "Shoes"}


def test_products_are_found_by_any_part_of_their_name(client: StrictClient, golden: int) -> None:
    assert data_of(client, "/api/v1/products?search=PHONE") == [
        {"product_id": "P234", "product_name": "Sony WH-1000XM5 Headphones", "category": "Electronics",
         "own_category": "Electronics", "categories": ["Electronics"], "list_price": None,
         "description": None, "attributes": None},
        {"product_id": "P456", "product_name": "iPhone 15 Pro", "category": "Electronics",
         "own_category": "Electronics", "categories": ["Electronics"], "list_price": None,
         "description": None, "attributes": None},
    ]  # fmt: skip
    in_two = data_of(client, "/api/v1/products?category=Shoes&category=Clothing")
    assert [row["product_id"] for row in in_two] == ["P123", "P789"]
    assert data_of(client, "/api/v1/products?search=%25") == []
    assert data_of(client, "/api/v1/products?search=_") == []


def test_products_have_what_their_feed_says_and_those_never_sold_are_not_listed(
    client: StrictClient, golden: int, warehouse: Warehouse
) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "update core.dim_product set own_category = 'Unspecified', current_name = 'Blue shoe'"
            " where product_id = 'P123'"
        )
        connection.execute(
            """
            insert into core.dim_product_record values
                ('P123', 'Blue shoe', 'Shoes', 189.9, 90, '=Fast', '{"Größe": "44, 45"}', 1, 2),
                ('P999', 'Never sold', 'Shoes', 1, null, null, null, 1, 3)
            """
        )
    shoe = {
        "product_id": "P123", "product_name": "Blue shoe", "category": "Shoes", "own_category": "Unspecified",
        "categories": ["Shoes"], "list_price": "189.90", "description": "=Fast",
        "attributes": {"Größe": "44, 45"},
    }  # fmt: skip
    assert data_of(client, "/api/v1/products?category=Shoes") == [shoe]
    assert data_of(client, "/api/v1/products?search=blue") == [shoe]
    assert data_of(client, "/api/v1/products?search=never") == []
    assert client.get("/api/v1/products?search=blue&format=csv").get_data(as_text=True) == (
        "product_id,product_name,category,own_category,categories,list_price,description,attributes\r\n"
        'P123,Blue shoe,Shoes,Unspecified,Shoes,189.90,\'=Fast,"{""Größe"": ""44, 45""}"\r\n'
    )
    data = client.get("/api/v1/products?search=blue&format=parquet").data
    [row] = parquet.read_table(BytesIO(data)).to_pylist()
    assert row == shoe | {"list_price": Decimal("189.9"), "attributes": '{"Größe": "44, 45"}'}


def test_the_list_of_products_goes_on_page_by_page(client: StrictClient, golden: int) -> None:
    first = client.get("/api/v1/products?limit=3").json
    assert first is not None
    second = client.get(f"/api/v1/products?limit=3&cursor={first['page']['next_cursor']}").json
    assert second is not None
    assert [row["product_id"] for row in first["data"] + second["data"]] == ["P123", "P234", "P456", "P789"]
    assert second["page"] == {"next_cursor": None, "has_more": False}
    other = client.get(f"/api/v1/customers?limit=3&cursor={first['page']['next_cursor']}")
    assert (other.status_code, other.json and other.json["code"]) == (400, "invalid_cursor")


def test_an_explanation_of_a_ranking_shows_the_statement_that_answered(
    client: StrictClient, golden: int
) -> None:
    answer = client.get("/api/v1/products/top?explain=true").json
    assert answer is not None
    assert [text.split()[0] for text in answer["meta"]["explain"]["statements"]] == [
        "select",
        "select",
        "with",
    ]
    assert "marts.revenue_by_product_monthly" in answer["meta"]["explain"]["tables"]
