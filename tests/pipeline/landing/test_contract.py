"""Each rule of the contract, by the one row that breaks it."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.landing import BatchResult, LandingRequest, check
from pipeline.landing.contract import OrderLineContract
from tests.pipeline.landing.calls import request_of
from tests.pipeline.landing.files import bytes_file, csv_file
from tests.pipeline.landing.test_line_meaning import RULES as MEANING_RULES

HEADER = (
    "Order ID,Product ID,Customer ID,Category,Region,Date of Sale,Quantity Sold,Unit Price,Discount,"
    "Shipping Cost,Payment Method,Unit Cost,Store ID"
)
GOOD = {
    "order": "1",
    "product": "P1",
    "customer": "C1",
    "category": "Shoes",
    "region": "Asia",
    "date": "2024-02-29",
    "quantity": "1",
    "price": "9.99",
    "discount": "0.1",
    "shipping": "5",
    "payment": "Cash",
    "cost": "4",
    "store": "S1",
}


def checked(path: Path) -> BatchResult:
    [result] = check(LandingRequest((path,)), lambda _: None)
    return result


def reasons_of(folder: Path, line: bytes) -> list[tuple[str, ...]]:
    """The reasons of the quarantined rows of a file with this line and a good one."""
    # With a character that tells the encoding: what is no UTF-8 is damage.
    good = ",".join(GOOD.values()).replace("1,P1", "0,P0", 1).replace("Asia", "Åsia")
    result = checked(bytes_file(folder, f"{HEADER}\n{good}\n".encode() + line + b"\n"))
    assert result.rows_read == result.rows_accepted + result.rows_quarantined
    return [row.reasons for row in result.quarantine_samples]


def with_values(**values: str) -> bytes:
    return ",".join((GOOD | values).values()).encode()


BROKEN = [
    ("repeated_header", HEADER.encode()),
    ("row_too_long", with_values(product="x" * 1_100_000)),
    ("unclosed_quote", with_values(product='"P1')),
    ("malformed_quotes", with_values(product='"P"1')),
    ("stray_carriage_return", with_values(product="P\r1")),
    ("too_few_fields", b"1,P1,C1"),
    ("too_many_fields", with_values() + b",x"),
    ("invalid_utf8", with_values().replace(b"Shoes", b"Sho\xe9s")),
    ("nul_character", with_values().replace(b"Shoes", b"Sho\x00s")),
    ("order_id_missing", with_values(order=" ")),
    ("order_id_too_long", with_values(order="1" * 201)),
    ("store_id_too_long", with_values(store="S" * 201)),
    ("product_id_missing", with_values(product="")),
    ("product_id_too_long", with_values(product="1" * 201)),
    ("customer_id_too_long", with_values(customer="1" * 201)),
    ("category_too_long", with_values(category="1" * 201)),
    ("region_too_long", with_values(region="1" * 201)),
    ("payment_method_too_long", with_values(payment="1" * 201)),
    ("sale_date_missing", with_values(date="")),
    ("sale_date_invalid", with_values(date="2023-02-29")),
    ("sale_date_invalid", with_values(date="02/01/2024")),
    ("sale_date_invalid", with_values(date="2024-2-01")),
    ("sale_date_invalid", with_values(date="+024-02-01")),
    ("sale_date_invalid", with_values(date="2024-02-01T10:00:00+15:00")),
    ("sale_date_invalid", with_values(date="2024-02-01+02:00")),
    ("sale_date_invalid", with_values(date="2024-02-01 24:00")),
    ("sale_date_out_of_range", with_values(date="1899-12-31")),
    ("sale_date_out_of_range", with_values(date="2200-01-01")),
    ("quantity_missing", with_values(quantity="")),
    ("quantity_not_integer", with_values(quantity="1.5")),
    ("quantity_not_integer", with_values(quantity="1e3")),
    ("quantity_not_integer", with_values(quantity="two")),
    ("quantity_zero", with_values(quantity="0")),
    ("quantity_zero", with_values(quantity="-0.0")),
    ("quantity_out_of_range", with_values(quantity="2147483648")),
    ("quantity_out_of_range", with_values(quantity="-9223372036854775808")),
    ("quantity_out_of_range", with_values(quantity="99999999999999999999")),
    ("unit_price_missing", with_values(price="")),
    ("unit_price_invalid", with_values(price="1e2")),
    ("unit_price_invalid", with_values(price="$5")),
    ("unit_price_invalid", with_values(price=".")),
    ("unit_price_invalid", with_values(price="1 000")),
    ("unit_price_invalid", with_values(price="٣")),
    ("unit_price_negative", with_values(price="-0.01")),
    ("unit_price_too_precise", with_values(price="1.0000001")),
    ("unit_price_out_of_range", with_values(price="1000000000000")),
    ("discount_invalid", with_values(discount="10%")),
    ("discount_out_of_range", with_values(discount="1.01")),
    ("discount_out_of_range", with_values(discount="-0.1")),
    ("discount_out_of_range", with_values(discount="10")),
    ("discount_too_precise", with_values(discount="0.1234567")),
    ("shipping_invalid", with_values(shipping="free")),
    ("shipping_negative", with_values(shipping="-1")),
    ("shipping_too_precise", with_values(shipping="0.00000001")),
    ("shipping_out_of_range", with_values(shipping="0001000000000000.5")),
    ("unit_cost_invalid", with_values(cost="n/a")),
    ("unit_cost_negative", with_values(cost="-4")),
    ("unit_cost_too_precise", with_values(cost="4.1234567")),
    ("unit_cost_out_of_range", with_values(cost="9999999999999")),
    ("duplicate_row", with_values(order="0", product="P0", region="Åsia")),
]


@pytest.mark.parametrize(
    ("code", "line"), BROKEN, ids=[f"{at}-{code}" for at, (code, _) in enumerate(BROKEN)]
)
def test_a_row_that_breaks_one_rule_is_quarantined_under_its_code(
    tmp_path: Path, code: str, line: bytes
) -> None:
    assert reasons_of(tmp_path, line) == [(code,)]


def test_every_rule_has_a_row_that_breaks_it() -> None:
    # What only JSON can have is tried in test_table_files, what only some sources say in test_line_meaning.
    assert {code for code, _ in BROKEN} | {"malformed_json"} | MEANING_RULES == set(
        OrderLineContract._validation_rules(with_cast=False)
    )


GOOD_VALUES = [
    {"quantity": "2.0"},
    {"quantity": "-3"},
    {"quantity": "+3."},
    {"quantity": "2147483647"},
    {"price": "0"},
    {"price": ".5"},
    {"price": "5."},
    {"price": "+5.25"},
    {"price": "-0.00"},
    {"price": "999999999999.999999"},
    {"price": "1.00000100000"},
    {"discount": ""},
    {"discount": "1"},
    {"discount": "1.000"},
    {"discount": ".05"},
    {"discount": "-0"},
    {"shipping": ""},
    {"cost": ""},
    {"customer": "", "category": "", "region": "", "payment": ""},
    {"date": "2024-02-01T23:59:59"},
    {"date": "2024-02-01 00:00"},
    {"date": "2024-02-01T10:00:00+02:00"},
    {"date": "2024-02-01 10:00:00 -0530"},
    {"date": "2024-02-01T10:00Z"},
    {"date": "1900-01-01"},
    {"date": "2199-12-31"},
    {"product": "é" * 200},
]


@pytest.mark.parametrize("values", GOOD_VALUES, ids=str)
def test_values_that_people_write_are_accepted(tmp_path: Path, values: dict[str, str]) -> None:
    assert reasons_of(tmp_path, with_values(**values)) == []


def test_every_broken_rule_is_listed_in_the_contracts_order(tmp_path: Path) -> None:
    line = with_values(discount="2", quantity="0", date="soon", order="").replace(b"Asia", b"As\xffa")
    assert reasons_of(tmp_path, line) == [
        ("invalid_utf8", "order_id_missing", "sale_date_invalid", "quantity_zero", "discount_out_of_range")
    ]


def test_a_repeated_broken_row_counts_under_its_contract_rule(tmp_path: Path) -> None:
    line = with_values(price="-1")
    assert reasons_of(tmp_path, line + b"\n" + line) == [
        ("unit_price_negative",),
        ("unit_price_negative", "duplicate_row"),
    ]


def test_duplicates_are_compared_as_text_over_unknown_columns_too(tmp_path: Path) -> None:
    header = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Till"
    path = csv_file(
        tmp_path,
        "1,P,2024-01-01,1,5,A",
        "1,P,2024-01-01,1,5,B",
        "1,P,2024-01-01,1,5.0,A",
        "1,P,2024-01-01,1,5,A",
        header=header,
    )
    result = checked(path)
    assert (result.rows_accepted, result.reasons) == (3, {"duplicate_row": 1})
    assert [row.row_number for row in result.quarantine_samples] == [5]
    [kept] = check(request_of((path,), duplicate_rows="keep"), lambda _: None)
    assert kept == replace(
        result, rows_accepted=4, rows_quarantined=0, reasons={}, quarantine_samples=(), seconds=kept.seconds
    )


def test_a_file_may_have_up_to_a_tenth_of_broken_rows(tmp_path: Path) -> None:
    header = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price"

    def rows(good: int, bad: int) -> Path:
        lines = [f"{number},P,2024-01-01,1,1" for number in range(good)]
        return csv_file(tmp_path, *lines, *[f"b{number},P,,1,1" for number in range(bad)], header=header)

    assert checked(rows(good=5, bad=20)).status == "checked"
    assert checked(rows(good=189, bad=21)).status == "checked"
    refused = checked(rows(good=188, bad=21))
    assert refused.status == "refused"
    assert refused.message == (
        "21 of 209 rows break the contract, more than the 10 % that a file may have (sale_date_missing 21)"
    )
    assert (refused.rows_read, refused.rows_accepted, refused.rows_quarantined) == (209, 0, 21)


def test_a_file_without_a_good_row_is_refused(tmp_path: Path) -> None:
    header = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price"
    result = checked(csv_file(tmp_path, "1,P,2024-01-01,0,1", header=header))
    assert result.status == "refused"
    assert result.message == "none of the 1 rows meets the contract (quantity_zero 1)"
    result = checked(csv_file(tmp_path, header=header))
    assert result.message == "the file has column names but no rows: there is nothing to load"


def test_duplicates_do_not_refuse_a_file(tmp_path: Path) -> None:
    header = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price"
    result = checked(csv_file(tmp_path, *["1,P,2024-01-01,1,1"] * 500, header=header))
    assert (result.status, result.rows_accepted, result.reasons) == ("checked", 1, {"duplicate_row": 499})
