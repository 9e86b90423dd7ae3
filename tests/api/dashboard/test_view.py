"""What a page's address says, and the dates that its range means."""

from datetime import date
from typing import get_args

import pytest

from api.dashboard.view import COMPARISONS, CUSTOM, RANGES, View, grain_of, read_view, span_of
from pipeline.answers.comparison import Compare
from pipeline.answers.dates import DateRange

DATA = DateRange(date(2023, 12, 15), date(2024, 3, 31))


def test_the_plain_address_is_the_last_12_months_beside_the_period_before() -> None:
    view, unusable = read_view("")
    assert (view, unusable) == (View(), [])
    assert (view.range, view.compare, view.grain, view.search()) == (
        "last_12_months",
        "previous_period",
        None,
        "",
    )


@pytest.mark.parametrize(
    "search",
    [
        "?range=all&compare=none&grain=week",
        "?start_date=2024-01-01&end_date=2024-02-29",
        "?end_date=2024-02-29",
        "?compare=previous_year&category=A%26B&category=C&region=Asia",
        "?product_id=P1",
    ],
)
def test_an_address_says_the_same_after_it_was_read(search: str) -> None:
    view, unusable = read_view(search)
    assert (view.search(), unusable) == (search, [])


def test_dates_make_the_range_a_custom_one() -> None:
    view, _ = read_view("?range=all&start_date=2024-01-01")
    assert (view.range, view.start, view.end) == (CUSTOM, date(2024, 1, 1), None)


@pytest.mark.parametrize(
    ("search", "name"),
    [
        ("?range=ever", "range"),
        ("?start_date=soon", "start_date"),
        ("?end_date=2024-02-30", "end_date"),
        ("?grain=hour", "grain"),
        ("?compare=rival", "compare"),
        ("?colour=red", "colour"),
    ],
)
def test_what_cannot_be_used_is_named(search: str, name: str) -> None:
    assert read_view(search) == (View(), [name])


@pytest.mark.parametrize(
    ("range", "start", "end"),
    [
        ("last_30_days", date(2024, 3, 2), date(2024, 3, 31)),
        ("this_month", date(2024, 3, 1), date(2024, 3, 31)),
        ("last_month", date(2024, 2, 1), date(2024, 2, 29)),
        ("last_90_days", date(2024, 1, 2), date(2024, 3, 31)),
        ("year_to_date", date(2024, 1, 1), date(2024, 3, 31)),
        ("last_12_months", date(2023, 4, 1), date(2024, 3, 31)),
        ("all", None, None),
    ],
)
def test_ranges_end_with_the_data(range: str, start: date | None, end: date | None) -> None:
    assert span_of(View(range=range), DATA) == (start, end)


def test_every_range_is_tested_and_every_comparison_is_one_of_the_apis() -> None:
    assert RANGES.keys() == {
        *(
            "last_30_days",
            "this_month",
            "last_month",
            "last_90_days",
            "year_to_date",
            "last_12_months",
            "all",
        ),
        CUSTOM,
    }
    assert COMPARISONS.keys() == {*get_args(Compare), "none"}


def test_short_ranges_are_drawn_by_days_and_long_ones_by_months() -> None:
    assert grain_of(date(2024, 1, 1), date(2024, 4, 1)) == "day"
    assert grain_of(date(2024, 1, 1), date(2024, 4, 2)) == "month"
