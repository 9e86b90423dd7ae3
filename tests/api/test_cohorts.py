"""Cohorts, against a computation line by line."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pipeline.answers.cohorts import CohortsQuestion, cohorts
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.customer_reference import Buyer, buyers_of, six, written_money
from tests.api.published import ZERO, Line, golden_lines
from tests.conftest import Warehouse


def month(day: date, months: int = 0) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def expected(lines: Sequence[Line], start: date | None, end: date | None) -> list[dict[str, Any]]:
    first, last = min(line.sale_date for line in lines), max(line.sale_date for line in lines)
    begin, stop = start or first, min(end or last, last)
    by_cohort: dict[date, list[Buyer]] = defaultdict(list)
    for buyer in buyers_of(lines):
        by_cohort[month(buyer.first_day)].append(buyer)
    rows = []
    for cohort in sorted(by_cohort):
        members = by_cohort[cohort]
        now = max(cohort, month(max(begin, first)))
        while now <= month(stop) and begin <= last and stop >= first:
            after = month(now, 1)
            days = (max(now, begin), min(after - timedelta(days=1), stop))
            active = [buyer for buyer in members if buyer.orders_within(*days)]
            revenue = sum((buyer.net_within(*days) for buyer in members), ZERO)
            rows.append(
                {
                    "cohort": cohort.isoformat(),
                    "cohort_customers": len(members),
                    "months_since": (now.year - cohort.year) * 12 + now.month - cohort.month,
                    "bucket": {
                        "start_date": now.isoformat(),
                        "end_date": (after - timedelta(days=1)).isoformat(),
                        "is_partial": bool(
                            (start and now < start)
                            or (end and after - timedelta(days=1) > end)
                            or after - timedelta(days=1) > last
                        ),
                    },
                    "customers": len(active),
                    "retention": six(Decimal(len(active)), Decimal(len(members))),
                    "orders": len(
                        {
                            order
                            for buyer in active
                            for order in buyer.placed
                            if days[0] <= order[0] <= days[1]
                        }
                    ),
                    "net_revenue": written_money(revenue),
                }
            )
            now = after
    return rows


def test_random_ranges_have_the_cohorts_of_a_computation_without_sql(
    warehouse: Warehouse, many_lines: list[Line]
) -> None:
    random = Random(31)
    with connect(warehouse.urls.reader) as connection:
        for number in range(60):
            start = date(2023, 10, 1) + timedelta(days=random.randrange(200))
            question = CohortsQuestion(
                start=start if number % 3 else None,
                end=start + timedelta(days=random.randrange(150)) if number % 2 else None,
            )
            found = cohorts(connection, question, currency="USD", time_zone="UTC")
            assert found.rows == expected(many_lines, question.start, question.end), question


def test_the_six_lines_make_three_cohorts(client: StrictClient, golden: int) -> None:
    found = client.get("/api/v1/customers/cohorts?end_date=2024-03-31").json
    assert found is not None
    assert [
        (row["cohort"], row["months_since"], row["customers"], row["retention"], row["net_revenue"])
        for row in found["data"]
    ] == [
        ("2023-12-01", 0, 1, "1.000000", "324.00"),
        ("2023-12-01", 1, 0, "0.000000", "0.00"),
        ("2023-12-01", 2, 1, "1.000000", "143.976"),
        ("2023-12-01", 3, 0, "0.000000", "0.00"),
        ("2024-01-01", 0, 1, "1.000000", "1299.00"),
        ("2024-01-01", 1, 0, "0.000000", "0.00"),
        ("2024-01-01", 2, 0, "0.000000", "0.00"),
        ("2024-03-01", 0, 1, "1.000000", "180.00"),
    ]
    assert found["meta"]["build_id"] == golden


def test_pages_hold_every_cell_once_and_files_are_complete(
    client: StrictClient, many_lines: list[Line]
) -> None:
    rows: list[Any] = []
    cursor = ""
    while True:
        page = client.get(f"/api/v1/customers/cohorts?limit=4{cursor}").json
        assert page is not None
        rows.extend(page["data"])
        if not page["page"]["has_more"]:
            break
        cursor = f"&cursor={page['page']['next_cursor']}"
    assert rows == expected(many_lines, None, None)
    text = client.get("/api/v1/customers/cohorts?format=csv").text.splitlines()
    assert text[0].split(",")[:4] == ["cohort", "cohort_customers", "months_since", "bucket_start_date"]
    assert len(text) == len(rows) + 1


def test_ranges_outside_the_data_have_no_cells(client: StrictClient, golden: int) -> None:
    for query in (
        "start_date=2030-01-01",
        "end_date=2001-01-01",
        "start_date=2025-01-01&end_date=2025-02-01",
    ):
        found = client.get(f"/api/v1/customers/cohorts?{query}").json
        assert found is not None
        assert found["data"] == []


def test_without_sales_there_are_no_cohorts(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    publish_lines([])
    found = client.get("/api/v1/customers/cohorts").json
    assert found is not None
    assert found["data"] == []


def test_a_cursor_of_an_older_build_is_stale(
    client: StrictClient, golden: int, publish_lines: Callable[[list[Line]], int]
) -> None:
    page = client.get("/api/v1/customers/cohorts?limit=1").json
    assert page is not None
    publish_lines(golden_lines()[:3])
    answer = client.get(f"/api/v1/customers/cohorts?limit=1&cursor={page['page']['next_cursor']}")
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["code"] == "stale_cursor"
