"""The products that gained or lost most, against a plain sum over the lines."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from pipeline.answers.dates import DateRange
from pipeline.answers.movers import MoversQuestion, movers
from pipeline.answers.snapshots import read_only_snapshot
from pipeline.warehouse.connect import connect
from tests.api.published import Line, golden_lines, publish, random_lines
from tests.conftest import Warehouse

MARCH = DateRange(date(2024, 3, 1), date(2024, 3, 31))
APRIL = DateRange(date(2024, 4, 1), date(2024, 4, 30))


def moved(warehouse: Warehouse, lines: Sequence[Line], question: MoversQuestion) -> list[dict[str, Any]]:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, lines)
    with connect(warehouse.urls.reader) as connection:
        read_only_snapshot(connection)
        return list(movers(connection, question, currency="USD", time_zone="UTC").rows)


def expected(lines: Sequence[Line], question: MoversQuestion) -> list[tuple[str, Decimal]]:
    """Products with their differences, by falling difference and id."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        for span, sign in ((question.span, 1), (question.earlier, -1)):
            if span.start <= line.sale_date <= span.end:
                sums[line.product_id] += sign * line.net
    changed = sorted(((product, by) for product, by in sums.items() if by), key=lambda found: found[0])
    gained = sorted((found for found in changed if found[1] > 0), key=lambda found: -found[1])
    lost = sorted((found for found in changed if found[1] < 0), key=lambda found: found[1])
    chosen = gained[: question.n] + lost[: question.n]
    return sorted(sorted(chosen), key=lambda found: -found[1])


def test_the_six_lines(warehouse: Warehouse) -> None:
    headphones = {"id": "P234", "name": "Sony WH-1000XM5 Headphones"}
    shoes = {"id": "P123", "name": "UltraBoost Running Shoes"}
    assert moved(warehouse, golden_lines(), MoversQuestion(APRIL, MARCH, 5)) == [
        {"product": headphones, "net_revenue": "297.4915", "previous": "0.00", "difference": "297.4915",
         "ratio": None},
        {"product": shoes, "net_revenue": "0.00", "previous": "180.00", "difference": "-180.00",
         "ratio": "0.000000"},
    ]  # fmt: skip


@pytest.mark.parametrize("n", [1, 3, 50])
@pytest.mark.parametrize(
    ("span", "earlier"),
    [
        (DateRange(date(2024, 2, 1), date(2024, 2, 29)), DateRange(date(2024, 1, 1), date(2024, 1, 31))),
        (DateRange(date(2024, 1, 13), date(2024, 3, 2)), DateRange(date(2023, 11, 24), date(2024, 1, 12))),
    ],
    ids=["months", "days"],
)
def test_random_lines(warehouse: Warehouse, span: DateRange, earlier: DateRange, n: int) -> None:
    lines = random_lines(Random(3), 500)
    question = MoversQuestion(span, earlier, n)
    rows = moved(warehouse, lines, question)
    found = [(row["product"]["id"], Decimal(row["difference"])) for row in rows]
    assert found == expected(lines, question)
    assert all(Decimal(r["net_revenue"]) - Decimal(r["previous"]) == Decimal(r["difference"]) for r in rows)


def test_equal_gains_are_ranked_by_id_and_what_did_not_move_is_left_out(warehouse: Warehouse) -> None:
    lines = [
        Line(f"{product}-{day}", product, date.fromisoformat(day), 1, Decimal(price))
        for product, day, price in (
            ("B", "2024-04-01", "2.00"), ("A", "2024-04-01", "2.00"), ("C", "2024-04-02", "2.00"),
            ("same", "2024-03-01", "9.00"), ("same", "2024-04-01", "9.00"),
        )
    ]  # fmt: skip
    rows = moved(warehouse, lines, MoversQuestion(APRIL, MARCH, 2))
    assert [row["product"]["id"] for row in rows] == ["A", "B"]
