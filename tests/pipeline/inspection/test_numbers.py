"""Marks of numbers are told by the numbers; where they tell nothing, both readings are shown."""

from pathlib import Path

import pytest

from pipeline.inspection import Inspection
from tests.pipeline.inspection.proposing import inspected
from tests.pipeline.landing.files import csv_file

HEADER = "Order ID;Product ID;Date of Sale;Quantity Sold;Unit Price;Discount"


def with_prices(folder: Path, *prices: str, quantity: str = "1", discount: str = "") -> Inspection:
    rows = (f"{at};P;2024-01-31;{quantity};{price};{discount}" for at, price in enumerate(prices))
    return inspected(csv_file(folder, *rows, header=HEADER))


@pytest.mark.parametrize(
    ("prices", "marks"),
    [
        (("1", "2.50"), (".", None)),
        (("1", "2,50"), (",", None)),
        (("1,250.00", "3"), (".", ",")),
        (("1.250,00", "3"), (",", ".")),
        (("1 250,00", "3,5"), (",", " ")),
        (("1'250.00", "3.5"), (".", "'")),
        (("1,250,000", "3"), (".", ",")),
        (("0,125", "0,250"), (",", None)),
        (("n/a", "2,50"), (",", None)),
    ],
)
def test_marks_that_fit_the_most_numbers_are_taken(
    tmp_path: Path, prices: tuple[str, ...], marks: tuple[str, str | None]
) -> None:
    found = with_prices(tmp_path, *prices)
    assert (found.settings.decimal_mark, found.settings.thousands_mark) == marks
    assert found.doubts == ()


def test_a_whole_number_tells_what_a_comma_is(tmp_path: Path) -> None:
    found = with_prices(tmp_path, "1,250", quantity="1,500")
    assert (found.settings.decimal_mark, found.settings.thousands_mark) == (".", ",")


def test_numbers_that_can_be_read_in_two_ways_are_shown_in_both(tmp_path: Path) -> None:
    found = with_prices(tmp_path, "1,250", "2,500")
    (doubt,) = found.doubts
    assert doubt.text == "numbers such as '1,250' can be read in several ways"
    assert doubt.choices == (
        ('decimal_mark = ","', "'1,250' is 1.250"),
        ('decimal_mark = "."\nthousands_mark = ","', "'1,250' is 1250"),
    )
    assert (found.settings.decimal_mark, found.settings.thousands_mark) == (".", None)
    assert "# decimal_mark = \",\"  # '1,250' is 1.250\n" in found.sources_toml
    assert found.refusal is not None


def test_what_the_source_says_of_marks_is_not_judged_again(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "1;P;2024-01-31;1;1,250;", header=HEADER)
    found = inspected(path, decimal_mark=",")
    assert (found.doubts, found.first_rows[0]["unit_price"]) == ((), "1.250")


def test_a_sign_makes_discounts_percentages(tmp_path: Path) -> None:
    found = with_prices(tmp_path, "1", discount="12,5 %")
    assert (found.settings.discount, found.first_rows[0]["discount"]) == ("percent", "0.125")
    assert found.doubts == ()


def test_discounts_above_1_are_a_doubt(tmp_path: Path) -> None:
    found = with_prices(tmp_path, "1", discount="10")
    (doubt,) = found.doubts
    assert doubt.text == "discounts such as '10' are no fractions; they may be percentages or amounts"
    assert doubt.choices == (('discount = "percent"', "'10' is 10 % of the line"),)
    assert found.settings.discount == "fraction"
    assert [problem.rule for problem in found.problems] == ["discount_out_of_range"]
