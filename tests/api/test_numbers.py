"""How numbers are written."""

from decimal import Decimal

import pytest

from pipeline.answers import numbers


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        ("2777.970000000000", 2, "2777.97"),
        ("180", 2, "180.00"),
        ("4712.567500000000", 2, "4712.5675"),
        ("-0.000000000000", 2, "0.00"),
        ("-1.5", 2, "-1.50"),
        ("1E+3", 2, "1000.00"),
        ("100", 0, "100"),
        ("100.50", 0, "100.5"),
        ("0.000000000001", 2, "0.000000000001"),
        ("12345678901234567890123456.000000000001", 2, "12345678901234567890123456.000000000001"),
    ],
)
def test_money_is_exact_with_at_least_the_minor_digits(value: str, digits: int, written: str) -> None:
    assert numbers.money(Decimal(value), digits) == written


@pytest.mark.parametrize(
    ("numerator", "denominator", "written"),
    [
        ("1", "3", "0.333333"),
        ("2", "3", "0.666667"),
        ("1", "2000000", "0.000001"),
        ("-1", "2000000", "-0.000001"),
        ("1", "2000001", "0.000000"),
        ("-1", "3000000", "0.000000"),
        ("7", "1", "7.000000"),
        ("1", "0", None),
        ("0", "5", "0.000000"),
    ],
)
def test_ratios_have_six_digits_half_up(numerator: str, denominator: str, written: str | None) -> None:
    assert numbers.ratio(Decimal(numerator), Decimal(denominator)) == written


def test_minor_digits_are_the_currencys() -> None:
    assert [numbers.minor_digits(currency) for currency in ("USD", "JPY", "KWD")] == [2, 0, 3]


def test_half_up_rounds_away_from_zero_to_any_digits() -> None:
    assert [numbers.half_up(Decimal(value), 2) for value in ("0.005", "-0.005", "0.0049")] == [
        "0.01",
        "-0.01",
        "0.00",
    ]
    assert numbers.half_up(Decimal("1234.5"), 0) == "1235"
