"""Figures in words."""

import pytest

from api.dashboard.words import Change, bucket, change, count, day, height, money, percent


def test_figures_are_written_for_people() -> None:
    assert money("4064.5915", "USD") == "$4,064.59"
    assert money("-0.5", "EUR") == "-€0.50"
    assert money("1234.5", "JPY") == "¥1,235"
    assert count(1234567) == "1,234,567"
    assert money("10.125", "USD") == "$10.13"
    assert percent("0.595200") == "59.5%"
    assert percent("0.000500") == "0.1%"
    assert day("2024-05-18") == "18 May 2024"


def test_what_is_undefined_is_a_dash() -> None:
    assert [money(None, "USD"), count(None), percent(None)] == ["–", "–", "–"]
    assert height(None) is None


@pytest.mark.parametrize(
    ("grain", "name"),
    [
        ("day", "1 Jul 2024"),
        ("week", "2024 W27"),
        ("month", "Jul 2024"),
        ("quarter", "2024 Q3"),
        ("year", "2024"),
    ],
)
def test_buckets_have_the_names_of_their_grain(grain: str, name: str) -> None:
    assert bucket("2024-07-01", grain) == name


@pytest.mark.parametrize(
    ("previous", "difference", "ratio", "expected"),
    [
        ("100.00", "12.50", "1.125000", Change("▲ +12.5%", 1)),
        ("100.00", "-50.00", "0.500000", Change("▼ −50.0%", -1)),
        ("100.00", "0.00", "1.000000", Change("= 0.0%", 0)),
        # A loss that halves is no fall, and of a loss no percentage means anything.
        ("-100.00", "50.00", "0.500000", Change("▲ more", 1)),
        ("0.00", "5.00", None, Change("▲ more", 1)),
        ("0.00", "0.00", None, Change("= same", 0)),
        (None, None, None, None),
    ],
)
def test_changes_have_a_sign_beside_their_colour(
    previous: str | None, difference: str | None, ratio: str | None, expected: Change | None
) -> None:
    found = {"previous": previous, "difference": difference, "ratio": ratio}
    assert change({"net_revenue": found}, "net_revenue") == expected
    assert change(None, "net_revenue") is None


def test_more_returns_are_no_better() -> None:
    found = {"returns": {"previous": "10.00", "difference": "5.00", "ratio": "1.500000"}}
    assert change(found, "returns") == Change("▲ +50.0%", -1)
