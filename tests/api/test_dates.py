"""Ranges and buckets."""

from datetime import date

import pytest

from pipeline.answers.dates import DateRange, bucket_bounds, buckets, effective_range
from pipeline.answers.errors import QueryError
from pipeline.answers.relations import (
    ORDER_LINES,
    PRODUCT_REVENUE_MONTHLY,
    REVENUE_BY_PRODUCT_MONTHLY,
    REVENUE_BY_REGION_MONTHLY,
    REVENUE_MONTHLY,
    Part,
    plan,
)

DATA = DateRange(date(2023, 12, 15), date(2024, 5, 18))


@pytest.mark.parametrize(
    ("day", "grain", "start", "end"),
    [
        ("2024-02-29", "day", "2024-02-29", "2024-02-29"),
        ("2024-01-01", "week", "2024-01-01", "2024-01-07"),
        ("2023-12-31", "week", "2023-12-25", "2023-12-31"),
        ("2021-01-01", "week", "2020-12-28", "2021-01-03"),
        ("2024-02-10", "month", "2024-02-01", "2024-02-29"),
        ("2023-02-10", "month", "2023-02-01", "2023-02-28"),
        ("2024-05-31", "quarter", "2024-04-01", "2024-06-30"),
        ("2024-12-31", "quarter", "2024-10-01", "2024-12-31"),
        ("2024-12-31", "year", "2024-01-01", "2024-12-31"),
        ("9999-12-31", "week", "9999-12-27", "9999-12-31"),
    ],
)
def test_a_bucket_has_the_calendars_bounds(day: str, grain: str, start: str, end: str) -> None:
    assert bucket_bounds(date.fromisoformat(day), grain) == (
        date.fromisoformat(start),
        date.fromisoformat(end),
    )


def test_without_dates_the_range_is_the_datas() -> None:
    assert effective_range(None, None, DATA) == DATA
    assert effective_range(None, None, None) is None


def test_a_missing_end_is_the_datas_and_never_before_the_start() -> None:
    assert effective_range(date(2024, 1, 1), None, DATA) == DateRange(date(2024, 1, 1), DATA.end)
    assert effective_range(date(2025, 1, 1), None, DATA) == DateRange(date(2025, 1, 1), date(2025, 1, 1))
    assert effective_range(None, date(2020, 1, 1), DATA) == DateRange(date(2020, 1, 1), date(2020, 1, 1))


def test_a_start_after_the_end_is_refused() -> None:
    with pytest.raises(QueryError, match="both are inclusive") as caught:
        effective_range(date(2024, 1, 2), date(2024, 1, 1), DATA)
    assert caught.value.code == "invalid_range"


def test_buckets_are_partial_when_the_asked_range_or_the_data_cuts_them() -> None:
    span = DateRange(date(2024, 1, 15), date(2024, 6, 10))
    made = buckets(span, "month", span.start, span.end, DATA.end)
    assert [(bucket.start.month, bucket.is_partial) for bucket in made] == [
        (1, True), (2, False), (3, False), (4, False), (5, True), (6, True),
    ]  # fmt: skip


def test_the_datas_own_first_bucket_is_whole() -> None:
    made = buckets(DATA, "month", None, None, DATA.end)
    assert [bucket.is_partial for bucket in made] == [False, False, False, False, False, True]


def test_too_many_buckets_are_refused() -> None:
    with pytest.raises(QueryError) as caught:
        buckets(DateRange(date(1900, 1, 1), date(2024, 1, 1)), "day", None, None, None)
    assert caught.value.code == "too_many_buckets"


def test_the_last_day_that_there_is_does_not_overflow() -> None:
    span = DateRange(date(9999, 12, 30), date.max)
    assert len(buckets(span, "week", None, None, None)) == 1
    assert plan({"product_id"}, None, span, DATA) == [Part(ORDER_LINES, span)]


@pytest.mark.parametrize(
    ("columns", "relation"),
    [
        ([], REVENUE_BY_REGION_MONTHLY),
        (["region", "source", "category", "payment_method"], REVENUE_MONTHLY),
        (["product_id", "source"], ORDER_LINES),
        (["product_id", "payment_method"], ORDER_LINES),
        (["customer_id"], ORDER_LINES),
    ],
)
def test_the_smallest_relation_that_can_answer_is_chosen(columns: list[str], relation: object) -> None:
    assert [part.relation for part in plan(set(columns), None, DATA, DATA)] == [relation]


def test_products_come_from_whole_months_and_the_days_at_the_edges() -> None:
    span = DateRange(date(2024, 1, 15), date(2024, 4, 10))
    assert plan({"product_id", "region"}, "quarter", span, DATA) == [
        Part(PRODUCT_REVENUE_MONTHLY, DateRange(date(2024, 2, 1), date(2024, 3, 31))),
        Part(ORDER_LINES, DateRange(date(2024, 1, 15), date(2024, 1, 31))),
        Part(ORDER_LINES, DateRange(date(2024, 4, 1), date(2024, 4, 10))),
    ]


def test_the_whole_data_needs_no_edges() -> None:
    assert plan({"product_id"}, None, DATA, DATA) == [
        Part(REVENUE_BY_PRODUCT_MONTHLY, DateRange(date(2023, 12, 1), date(2024, 5, 31)))
    ]


def test_days_and_weeks_of_products_come_from_the_lines() -> None:
    assert plan({"product_id"}, "week", DATA, DATA) == [Part(ORDER_LINES, DATA)]
