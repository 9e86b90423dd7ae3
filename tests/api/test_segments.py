"""Segments, against a computation line by line."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil
from random import Random
from typing import Any

import pytest

from pipeline.answers.segments import GRID, SEGMENTS, SegmentsQuestion, segments
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.customer_reference import buyers_of, six, written_money
from tests.api.published import ZERO, Line
from tests.conftest import Warehouse

Row = dict[str, Any]


def line(customer: str, day: date, price: str = "10", order: str = "", quantity: int = 1) -> Line:
    return Line(
        order_id=order or f"{customer} {day} {price}",
        product_id="P",
        sale_date=day,
        quantity=quantity,
        unit_price=Decimal(price),
        customer_id=customer,
    )


def segment_of(recency: int, frequency: int, monetary: int) -> str:
    """The documented table, in words."""
    buys = (frequency + monetary + 1) // 2
    if recency >= 4:
        rest = {1: "new" if recency == 5 else "promising", 2: "potential_loyalists", 3: "loyal"}
        return rest.get(buys, "champions")
    if recency == 3:
        return {1: "promising", 2: "about_to_sleep", 3: "needs_attention"}.get(buys, "loyal")
    if recency == 2:
        return {1: "hibernating", 2: "about_to_sleep"}.get(buys, "at_risk")
    return {1: "lost", 2: "hibernating", 3: "at_risk"}.get(buys, "cant_lose_them")


def cut_points(values: Sequence[Any], question: SegmentsQuestion, own: Sequence[Any]) -> list[Any]:
    ordered = sorted(values)
    ranks = [ceil(len(ordered) * Fraction(fraction)) for fraction in question.fractions]
    return list(own) or [ordered[rank - 1] for rank in ranks]


def expected(lines: Sequence[Line], question: SegmentsQuestion) -> tuple[list[Row], list[Row], Row]:
    """Members, segments and cut points."""
    last = max(line.sale_date for line in lines)
    as_of = question.as_of or last
    start = question.start or date.min
    end = min(question.end or last, as_of)
    found = [
        (buyer, max(days), len(days), buyer.net_within(start, end))
        for buyer in buyers_of(lines)
        if (days := buyer.orders_within(start, end))
    ]
    if not found:
        return [], [], {}
    recencies = cut_points([(as_of - day).days for _, day, _, _ in found], question, question.recency_cuts)
    frequencies = cut_points([orders for _, _, orders, _ in found], question, question.frequency_cuts)
    amounts = cut_points([net for *_, net in found], question, question.monetary_cuts)
    members = []
    for buyer, day, orders, net in sorted(found, key=lambda one: (-one[3], one[0].customer_id)):
        recency = 5 - sum((as_of - day).days > cut for cut in recencies)
        frequency = 1 + sum(orders > cut for cut in frequencies)
        monetary = 1 + sum(net > cut for cut in amounts)
        members.append(
            {
                "customer": {"id": buyer.customer_id, "name": buyer.name},
                "segment": segment_of(recency, frequency, monetary),
                "last_order_date": day.isoformat(),
                "recency_days": (as_of - day).days,
                "orders": orders,
                "net_revenue": written_money(net),
                "recency_score": recency,
                "frequency_score": frequency,
                "monetary_score": monetary,
            }
        )
    cuts = {
        "recency_days": recencies,
        "frequency": frequencies,
        "monetary": [written_money(cut) for cut in amounts],
    }
    return members, [_segment(name, members) for name in SEGMENTS], cuts


def _segment(name: str, members: list[Row]) -> Row:
    mine = [member for member in members if member["segment"] == name]
    net = sum((Decimal(member["net_revenue"]) for member in mine), ZERO)
    count = Decimal(len(mine))
    return {
        "segment": name,
        "customers": len(mine),
        "share_of_customers": six(count, Decimal(len(members))),
        "orders": sum(member["orders"] for member in mine),
        "net_revenue": written_money(net),
        "share_of_total": six(net, sum((Decimal(one["net_revenue"]) for one in members), ZERO)),
        "mean_recency_days": six(Decimal(sum(member["recency_days"] for member in mine)), count),
        "mean_orders": six(Decimal(sum(member["orders"] for member in mine)), count),
        "mean_net_revenue": six(net, count),
    }


def random_question(random: Random, number: int) -> SegmentsQuestion:
    start = date(2023, 11, 10) + timedelta(days=random.randrange(60))
    as_of = start + timedelta(days=random.randrange(150))
    return SegmentsQuestion(
        as_of=as_of if number % 4 else None,
        start=start if number % 3 else None,
        end=as_of + timedelta(days=random.randrange(-20, 20))
        if number % 5 == 1 and number % 3 == 0
        else None,
        fractions=(
            tuple(sorted(Decimal(cut) / 100 for cut in random.sample(range(1, 100), 4)))
            if number % 2
            else SegmentsQuestion.fractions
        ),
        recency_cuts=tuple(sorted(random.sample(range(100), 4))) if number % 7 == 0 else (),
        frequency_cuts=(1, 2, 4, 6) if number % 6 == 0 else (),
        monetary_cuts=(Decimal(100), Decimal("1000.5"), Decimal(5000), Decimal(90000))
        if number % 8 == 0
        else (),
    )


def test_the_table_has_every_scores_segment_and_each_segment_somewhere() -> None:
    for recency, frequency, monetary in product(range(1, 6), repeat=3):
        found = GRID[recency - 1][(frequency + monetary + 1) // 2 - 1]
        assert found == segment_of(recency, frequency, monetary)
    assert {name for row in GRID for name in row} == set(SEGMENTS)


def test_random_questions_have_the_segments_of_a_computation_without_sql(
    warehouse: Warehouse, many_lines: list[Line]
) -> None:
    random = Random(77)
    with connect(warehouse.urls.reader) as connection:
        for number in range(80):
            question = random_question(random, number)
            found = segments(connection, question, currency="USD", time_zone="UTC")
            wanted = replace(question, members=True)
            whole = segments(connection, wanted, currency="USD", time_zone="UTC")
            paged = segments(connection, replace(wanted, limit=500), currency="USD", time_zone="UTC")
            members, by_segment, cuts = expected(many_lines, question)
            assert list(whole.rows) == paged.rows == members, question
            if members:
                assert found.rows == by_segment, question
                assert found.meta["segmentation"]["cut_points"] == cuts, question
            else:
                assert {row["customers"] for row in found.rows} == {0}


def test_equal_values_score_equally_and_a_rank_is_not_lost_to_a_float(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    # 0.55 × 100 is 55.00000000000001 in floats: the cut would be the 56th value.
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(100)]
    publish_lines([line(f"C{n:03}", day, "10") for n, day in enumerate(days)])
    found = client.get("/api/v1/customers/segments?members=true&limit=500&cuts=0.1,0.2,0.3,0.55").json
    assert found is not None
    assert found["meta"]["segmentation"]["cut_points"] == {
        "recency_days": [9, 19, 29, 54],
        "frequency": [1, 1, 1, 1],
        "monetary": ["10.00"] * 4,
    }
    assert {row["frequency_score"] for row in found["data"]} == {1}
    assert [row["recency_score"] for row in found["data"]] == [1] * 45 + [2] * 25 + [3] * 10 + [4] * 10 + [
        5
    ] * 10


def test_nothing_after_the_as_of_date_counts(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    publish_lines(
        [
            line("A", date(2024, 1, 1), "50", "1"),
            line("A", date(2024, 1, 20), "50", "1", quantity=-1),
            line("A", date(2024, 1, 30), "7"),
            line("B", date(2024, 1, 15), "20"),
        ]
    )
    found = client.get("/api/v1/customers/segments?members=true&as_of=2024-01-10&end_date=2024-12-31").json
    assert found is not None
    assert [(row["customer"]["id"], row["recency_days"], row["net_revenue"]) for row in found["data"]] == [
        ("A", 9, "50.00")
    ]
    assert found["meta"]["range"]["end_date"] == "2024-01-10"
    later = client.get("/api/v1/customers/segments?members=true&as_of=2024-02-01").json
    assert later is not None
    assert [(row["customer"]["id"], row["recency_days"], row["net_revenue"]) for row in later["data"]] == [
        ("B", 17, "20.00"),
        ("A", 2, "7.00"),
    ]


def test_members_of_some_segments_come_in_pages_and_files(
    client: StrictClient, many_lines: list[Line]
) -> None:
    members, _, _ = expected(many_lines, SegmentsQuestion())
    wanted = [row for row in members if row["segment"] in ("champions", "lost")]
    url = "/api/v1/customers/segments?members=true&segment=champions&segment=lost"
    rows: list[Row] = []
    cursor = ""
    while True:
        page = client.get(f"{url}&limit=3{cursor}").json
        assert page is not None
        rows.extend(page["data"])
        if not page["page"]["has_more"]:
            break
        cursor = f"&cursor={page['page']['next_cursor']}"
    assert rows == wanted
    assert len(wanted) > 3
    file = list(csv.DictReader(io.StringIO(client.get(f"{url}&format=csv").text)))
    assert [row["customer_id"] for row in file] == [row["customer"]["id"] for row in wanted]
    assert [row["net_revenue"] for row in file] == [row["net_revenue"] for row in wanted]


def test_one_segment_keeps_its_share_of_all(client: StrictClient, many_lines: list[Line]) -> None:
    whole = client.get("/api/v1/customers/segments").json
    one = client.get("/api/v1/customers/segments?segment=loyal").json
    assert whole is not None
    assert one is not None
    assert one["data"] == [row for row in whole["data"] if row["segment"] == "loyal"]


@pytest.mark.parametrize(
    ("query", "status", "code", "parameter"),
    [
        ("cuts=0.2,0.4,0.6", 422, "invalid_value", "cuts"),
        ("cuts=0.2,0.6,0.4,0.8", 422, "invalid_value", "cuts"),
        ("cuts=0,0.2,0.4,0.8", 422, "invalid_value", "cuts"),
        ("cuts=0.2,0.4,0.6,1", 422, "invalid_value", "cuts"),
        ("cuts=a,b,c,d", 400, "invalid_parameter", "cuts"),
        ("cuts=NaN,0.4,0.6,0.7", 422, "invalid_value", "cuts"),
        ("recency_cuts=1,2,3", 422, "invalid_value", "recency_cuts"),
        ("frequency_cuts=1,2,2,3", 422, "invalid_value", "frequency_cuts"),
        ("frequency_cuts=1,2,3,99999999999", 422, "invalid_value", "frequency_cuts"),
        ("monetary_cuts=1,2,3,1e400", 422, "invalid_value", "monetary_cuts"),
        ("segment=vip", 400, "invalid_parameter", "segment"),
        ("start_date=2024-02-01&as_of=2024-01-01", 422, "invalid_range", "start_date"),
    ],
)
def test_what_cannot_be_segmented_is_explained(
    client: StrictClient, golden: int, query: str, status: int, code: str, parameter: str
) -> None:
    answer = client.get(f"/api/v1/customers/segments?{query}")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["errors"][0]["parameter"] == parameter


def test_without_customers_every_segment_is_empty(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    publish_lines([])
    found = client.get("/api/v1/customers/segments").json
    assert found is not None
    assert [row["segment"] for row in found["data"]] == list(SEGMENTS)
    assert {row["customers"] for row in found["data"]} == {0}
    assert found["data"][0]["share_of_customers"] is None
    assert found["meta"]["segmentation"]["cut_points"] == {
        "recency_days": [],
        "frequency": [],
        "monetary": [],
    }
