"""Figures and dates for eyes."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from pipeline.answers.dates import DateRange
from pipeline.findings import wording


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("4712.5675", "USD", "4,712.57 USD"),
        ("0.005", "USD", "0.01 USD"),
        ("-0.005", "USD", "−0.01 USD"),
        ("-0.004", "USD", "0.00 USD"),
        ("1234567.5", "JPY", "1,234,568 JPY"),
        ("1.2345", "KWD", "1.235 KWD"),
        (
            Decimal("123456789012345678901234567890.125"),
            "USD",
            "123,456,789,012,345,678,901,234,567,890.13 USD",
        ),
    ],
)
def test_amounts_are_rounded_half_up_with_thousands_apart(
    value: Decimal | str, currency: str, expected: str
) -> None:
    assert wording.amount(value, currency) == expected


def test_percentages_have_one_digit() -> None:
    assert wording.percent("0.652730") == "65.3 %"
    assert wording.percent(Fraction(-1, 8)) == "−12.5 %"
    assert wording.percent(Fraction("1254.49614") / 100) == "1,254.5 %"


def test_only_what_is_above_zero_gets_a_plus() -> None:
    assert [wording.signed(text) for text in ("1.00", "0.00", "−1.00", "0")] == [
        "+1.00",
        "0.00",
        "−1.00",
        "0",
    ]


def test_one_thing_is_no_plural() -> None:
    found = [wording.counted(count, "order") for count in (0, 1, 2000)]
    assert found == ["0 orders", "1 order", "2,000 orders"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-01-01", "2024-12-31", "in 2024"),
        ("2024-02-01", "2024-02-29", "in February 2024"),
        ("2023-02-01", "2023-02-28", "in February 2023"),
        ("2024-02-01", "2024-02-28", "from 1 February 2024 to 28 February 2024"),
        ("2023-12-01", "2024-12-31", "from 1 December 2023 to 31 December 2024"),
        ("2024-05-18", "2024-05-18", "on 18 May 2024"),
        ("2024-01-01", "2024-01-01", "on 1 January 2024"),
    ],
)
def test_ranges_are_named_as_people_do(start: str, end: str, expected: str) -> None:
    assert wording.during(DateRange(date.fromisoformat(start), date.fromisoformat(end))) == expected


@pytest.mark.parametrize(
    ("grain", "name", "mark"),
    [
        ("day", "1 April 2024", "1 Apr"),
        ("week", "week of 1 April 2024", "1 Apr"),
        ("month", "April 2024", "Apr 2024"),
        ("year", "2024", "2024"),
    ],
)
def test_buckets_are_named_by_their_grain(grain: str, name: str, mark: str) -> None:
    assert (wording.bucket_name("2024-04-01", grain), wording.bucket_mark("2024-04-01", grain)) == (
        name,
        mark,
    )


def test_segments_are_words() -> None:
    assert wording.segment("cant_lose_them") == "Can't lose them"
    assert wording.segment("about_to_sleep") == "About to sleep"
