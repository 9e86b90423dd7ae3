"""The figures: golden ones, and random questions against a computation without SQL."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import psycopg
import pytest

from pipeline.answers.answer import Row
from pipeline.answers.dates import GRAINS
from pipeline.answers.dimensions import GROUPS
from pipeline.answers.explaining import recorded
from pipeline.answers.pieces import Top
from pipeline.answers.revenue import RevenueQuestion, answer
from pipeline.answers.snapshots import read_only_snapshot
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.published import Line, golden_lines
from tests.api.reference import expected_rows
from tests.conftest import Warehouse


def test_the_six_lines_give_the_golden_totals(client: StrictClient, golden: int) -> None:
    found = client.get("/api/v1/revenue/total").json
    assert found is not None
    assert found["data"]["net_revenue"] == "4712.5675"
    assert found["data"]["total_revenue"] == "4782.5675"
    assert found["data"]["orders"] == 6
    assert found["data"]["customers"] == 3
    assert found["data"]["cost"] is None
    assert found["data"]["average_order_value"] == "785.427917"
    assert found["meta"]["range"] == {"start_date": "2023-12-15", "end_date": "2024-05-18"}
    assert found["meta"]["build_id"] == golden
    assert found["meta"]["data_as_of"] == "2024-05-18"


def test_gross_revenue_of_calendar_2024_by_region_is_golden(client: StrictClient, golden: int) -> None:
    query = "start_date=2024-01-01&end_date=2024-12-31&sort=-gross_revenue"
    found = client.get(f"/api/v1/revenue/by-region?{query}").json
    assert found is not None
    assert [(row["region"], row["gross_revenue"]) for row in found["data"]] == [
        ("Asia", "2777.97"),
        ("Europe", "1299.00"),
        ("North America", "349.99"),
        ("South America", "180.00"),
    ]


def test_every_route_writes_its_keys_in_the_documented_order(client: StrictClient, golden: int) -> None:
    found = client.get("/api/v1/revenue?group_by=product,region&grain=year&limit=1").json
    assert found is not None
    assert list(found["data"][0]) == [
        "bucket", "product", "region", "gross_revenue", "discounts", "returns", "net_revenue", "shipping",
        "total_revenue", "tax", "cost", "margin", "cost_coverage", "orders", "return_orders", "customers",
        "units", "units_returned", "net_units", "average_order_value", "share_of_total",
    ]  # fmt: skip


def random_question(random: Random, number: int) -> RevenueQuestion:
    groups = tuple(random.sample(GROUPS, random.choice([0, 1, 1, 2, 3])))
    grain = random.choice([None, None, *GRAINS])
    start = date(2023, 11, 1) + timedelta(days=random.randrange(120))
    filters: dict[str, Any] = {}
    choices = {
        "product_id": ["P0", "P1", "P2", "nothing"],
        "category": ["Shoes", "50% off"],
        "region": ["Asia", "Åland"],
        "payment_method": ["Card"],
        "customer_id": ["C1", "C2", "W3"],
        "source": ["web"],
    }
    for name, values in choices.items():
        if random.random() < 0.15:
            filters[name] = random.sample(values, random.randint(1, len(values)))
    return RevenueQuestion(
        group_by=groups,
        grain=grain,
        start=start if number % 3 else None,
        end=start + timedelta(days=random.choice([0, 10, 40, 100])) if number % 2 else None,
        filters=filters,
    )


def test_random_questions_have_the_answers_of_a_computation_without_sql(
    warehouse: Warehouse, many_lines: list[Line]
) -> None:
    random = Random(20261121)
    with connect(warehouse.urls.reader) as connection:
        for number in range(150):
            question = random_question(random, number)
            if question.start is None and question.end and question.end < date(2023, 11, 20):
                continue
            found = list(answer(connection, question, currency="USD", time_zone="UTC").rows)
            for row in found:
                if "bucket" in row:
                    row["bucket"] = row["bucket"]["start_date"]
            assert found == expected_rows(many_lines, question), question


@pytest.mark.parametrize(
    ("filters", "groups", "table"),
    [
        ({"region": ["Asia", "Åland"]}, ((), ("source",)), "customer_orders"),
        (
            {"region": ["Asia", "Europe"], "source": ["web", "default"]},
            ((), ("source",)),
            "customer_orders",
        ),
        ({"customer_id": ["C1", "C2", "W3"]}, ((), ("customer",)), "fct_order_lines"),
    ],
)
def test_what_a_rollup_answers_for_some_regions_or_customers_is_the_sum_of_their_lines(
    warehouse: Warehouse,
    many_lines: list[Line],
    filters: dict[str, Any],
    groups: tuple[tuple[str, ...], ...],
    table: str,
) -> None:
    first = date(2023, 12, 10)
    with connect(warehouse.urls.reader) as connection:
        read_only_snapshot(connection)
        for group_by, grain, days in product(groups, (None, "day", "week", "month"), (0, 33, 90)):
            end = first + timedelta(days=days)
            question = RevenueQuestion(group_by=group_by, grain=grain, start=first, end=end, filters=filters)
            with recorded() as statements:
                found = list(answer(connection, question, currency="USD", time_zone="UTC").rows)
            for row in found:
                if "bucket" in row:
                    row["bucket"] = row["bucket"]["start_date"]
            assert found == expected_rows(many_lines, question), question
            assert any(table in statement for statement in statements)


# By group: the filter that names one of it.
PURCHASES = {"product": "product_id", "category": "category", "payment_method": "payment_method"}
WHOLE_MONTHS = (
    (None, None),
    (date(2023, 12, 1), date(2024, 1, 31)),
    (date(2024, 1, 1), date(2024, 1, 31)),
    (date(2023, 11, 1), date(2024, 2, 29)),
)


@pytest.mark.parametrize("group", PURCHASES)
@pytest.mark.parametrize("grain", [None, "month", "quarter", "year"])
def test_whole_months_of_one_group_need_no_line(
    warehouse: Warehouse, many_lines: list[Line], group: str, grain: str | None
) -> None:
    one = {"product": "P3", "category": "Shoes", "payment_method": "Cash"}[group]
    questions: tuple[dict[str, Any], ...] = (
        {"group_by": (group,)},
        {"group_by": (group,), "filters": {PURCHASES[group]: [one, "nothing"]}},
        {"filters": {PURCHASES[group]: [one]}},
    )
    with connect(warehouse.urls.reader) as connection:
        read_only_snapshot(connection)
        for (start, end), asked in product(WHOLE_MONTHS, questions):
            question = RevenueQuestion(grain=grain, start=start, end=end, **asked)
            found = answered(connection, question)
            assert found.rows == expected_rows(many_lines, question), question
            assert not any("core.fct_order_lines" in statement for statement in found.statements)
            assert any("purchases_monthly" in statement for statement in found.statements)


@pytest.mark.parametrize("sort", ["-net_revenue", "margin", "-net_units", "cost_coverage", "product"])
def test_the_first_products_of_whole_months_have_the_sums_of_all_of_them(
    warehouse: Warehouse, many_lines: list[Line], sort: str
) -> None:
    with connect(warehouse.urls.reader) as connection:
        read_only_snapshot(connection)
        for group_by, grain in product((("product",), ("product", "region")), (None, "month")):
            question = RevenueQuestion(group_by=group_by, grain=grain, sort=(sort,))
            whole = answered(connection, question).rows
            assert answered(connection, replace(question, limit=5)).rows[:5] == whole[:5]
            if grain is None:
                top = answered(connection, replace(question, top=Top(3))).rows
                assert [row.pop("rank") for row in top] == [1, 2, 3]
                assert top == whole[:3]


@dataclass(frozen=True)
class Answered:
    rows: list[Row]
    statements: list[str]


def answered(connection: psycopg.Connection[Any], question: RevenueQuestion) -> Answered:
    """The rows with their buckets by first day, and the statements that gave them."""
    with recorded() as statements:
        rows = list(answer(connection, question, currency="USD", time_zone="UTC").rows)
    for row in rows:
        if "bucket" in row:
            row["bucket"] = row["bucket"]["start_date"]
    return Answered(rows, statements)


def test_pages_of_any_size_and_order_hold_the_same_rows(warehouse: Warehouse, many_lines: list[Line]) -> None:
    with connect(warehouse.urls.reader) as connection:
        for sort in ("-orders", "margin", "-average_order_value", "net_units", "product", "-customers"):
            whole = RevenueQuestion(group_by=("product", "region"), grain="month", sort=(sort,))
            rows = list(answer(connection, whole, currency="USD", time_zone="UTC").rows)
            paged: list[Row] = []
            cursor = None
            while True:
                question = RevenueQuestion(
                    group_by=("product", "region"), grain="month", sort=(sort,), limit=13, cursor=cursor
                )
                page = answer(connection, question, currency="USD", time_zone="UTC")
                paged.extend(page.rows)
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert paged == rows
            name = sort.removeprefix("-")
            values = [row[name] if name != "product" else row[name]["id"] for row in rows]
            there = [
                value if name == "product" else Decimal(str(value)) for value in values if value is not None
            ]
            assert there == sorted(there, reverse=sort.startswith("-"))
            assert values[len(there) :] == [None] * (len(values) - len(there))


@pytest.mark.parametrize("group", GROUPS)
def test_the_groups_add_up_to_the_total_to_the_last_digit(
    group: str, make_client: Callable[..., StrictClient], many_lines: list[Line]
) -> None:
    client = make_client()
    total = client.get("/api/v1/revenue/total?start_date=2023-12-05&end_date=2024-02-20").json
    rows = client.get(
        f"/api/v1/revenue?group_by={group}&start_date=2023-12-05&end_date=2024-02-20&limit=500"
    ).json
    assert total is not None
    assert rows is not None
    for name in ("gross_revenue", "discounts", "returns", "net_revenue", "shipping", "margin", "units"):
        assert sum(Decimal(row[name] or 0) for row in rows["data"]) == Decimal(total["data"][name])


def test_an_open_snapshot_keeps_its_numbers_through_a_publish(
    warehouse: Warehouse, golden: int, publish_lines: Callable[[list[Line]], int]
) -> None:
    question = RevenueQuestion(group_by=("region",), limit=10)
    with connect(warehouse.urls.reader) as connection:
        read_only_snapshot(connection)
        before = answer(connection, question, currency="USD", time_zone="UTC")
        newer = publish_lines(golden_lines()[:2])
        assert answer(connection, question, currency="USD", time_zone="UTC") == before
        connection.rollback()
        after = answer(connection, question, currency="USD", time_zone="UTC")
    assert before.meta["build_id"] == golden
    assert after.meta["build_id"] == newer
    assert [row["region"] for row in after.rows] == ["Europe", "North America"]
