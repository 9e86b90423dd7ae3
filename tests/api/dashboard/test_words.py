"""Figures in words."""

import pytest

from api.dashboard.words import Change, bucket, change, count, day, height, money, percent


def test_figures_are_written_for_people() -> None:
    assert money("4064.5915", "USD") == "$4,064.59"
    assert money("-0.5", "EUR") == "-€0.50"
    assert money("1234.5", "JPY") == "¥1,234"
    assert count(1234567) == "1,234,567"
    assert percent("0.595200") == "59.5%"
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
    ("ratio", "expected"),
    [
        ("1.125000", Change("▲ +12.5%", 1)),
        ("0.500000", Change("▼ −50.0%", -1)),
        ("1.000000", Change("= 0.0%", 0)),
        (None, None),
    ],
)
def test_changes_have_a_sign_beside_their_colour(ratio: str | None, expected: Change | None) -> None:
    assert change({"net_revenue": {"ratio": ratio}}, "net_revenue") == expected
    assert change(None, "net_revenue") is None
