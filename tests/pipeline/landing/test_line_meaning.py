"""What a source means by its numbers, as it lands: exact amounts, line ids, currencies, tax, shipping."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.landing import BatchResult, Reporting, check
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, landed, one, request_of, small
from tests.pipeline.landing.files import HEADER, csv_file

# The rules that only a source with settings of its own can break.
RULES = {
    "quantity_negative",
    "tax_missing",
    "tax_invalid",
    "tax_out_of_range",
    "tax_too_precise",
    "tax_rate_invalid",
    "tax_rate_out_of_range",
    "tax_rate_too_precise",
    "currency_other",
    "line_id_missing",
    "line_id_too_long",
    "line_id_repeated",
}
ORDER = "1,P,2024-01-01"


def checked(folder: Path, header: str, *rows: str, **options: Any) -> BatchResult:
    [result] = check(request_of((csv_file(folder, *rows, header=header),), **options), lambda _: None)
    assert result.rows_read == len(rows)
    return result


def reasons(folder: Path, header: str, row: str, **options: Any) -> tuple[str, ...]:
    """What is wrong with a row, beside a good one."""
    good = "0,P,2024-01-01,1,1" + "," * (row.count(",") - 4)
    if options.pop("needs_line_id", False):
        good += "0"
    result = checked(folder, header, good, row, **options)
    return result.quarantine_samples[0].reasons if result.quarantine_samples else ()


@pytest.mark.parametrize(
    ("meaning", "written", "amount"),
    [
        ("amount_per_line", "3", "3"),
        ("amount_per_line", "20", "20"),
        ("amount_per_line", "", "0"),
        ("amount_per_unit", "1.333333", "2.666666"),
        ("amount_per_unit", "10", "20"),
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_discount_that_is_an_amount_stays_an_exact_amount_of_the_line(
    warehouse: Warehouse, tmp_path: Path, meaning: str, written: str, amount: str, sign: str
) -> None:
    path = csv_file(tmp_path, f"{ORDER},{sign}2,10,{written}", header=f"{HEADER},Discount")
    one(warehouse, path, discount=meaning)
    assert asked(warehouse, "select discount, discount_amount from raw.order_lines") == [(0, Decimal(amount))]


def test_the_largest_amounts_are_exact(warehouse: Warehouse, tmp_path: Path) -> None:
    row = f"{ORDER},2147483647,999999999999.999999,999999999999.999999"
    one(warehouse, csv_file(tmp_path, row, header=f"{HEADER},Discount"), discount="amount_per_unit")
    [(amount,)] = asked(warehouse, "select discount_amount from raw.order_lines")
    assert amount == Decimal("2147483646999999997852.516353")


@pytest.mark.parametrize(
    ("meaning", "written", "reason"),
    [
        ("amount_per_line", "20.000001", "discount_out_of_range"),
        ("amount_per_line", "-0.01", "discount_out_of_range"),
        ("amount_per_unit", "10.01", "discount_out_of_range"),
        ("amount_per_line", "1.0000001", "discount_too_precise"),
        ("amount_per_line", "10%", "discount_invalid"),
        ("amount_per_line", "1000000000000", "discount_out_of_range"),
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_discount_beyond_the_lines_value_is_quarantined(
    tmp_path: Path, meaning: str, written: str, reason: str, sign: str
) -> None:
    row = f"{ORDER},{sign}2,10,{written}"
    assert reasons(tmp_path, f"{HEADER},Discount", row, discount=meaning) == (reason,)


def test_a_till_may_write_what_is_sold_below_zero(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"{ORDER},-2,10", "2,P,2024-01-01,1,10")
    one(warehouse, path, negative_quantity="sale")
    assert asked(warehouse, "select order_id, quantity from raw.order_lines order by 1") == [
        ("1", 2),
        ("2", -1),
    ]


def test_a_till_without_returns_has_none(tmp_path: Path) -> None:
    assert reasons(tmp_path, HEADER, f"{ORDER},-2,10", negative_quantity="quarantine") == (
        "quantity_negative",
    )
    assert reasons(tmp_path, HEADER, f"{ORDER},0,10", negative_quantity="quarantine") == (
        "quantity_zero",
        "quantity_negative",
    )


def test_a_row_in_another_currency_is_quarantined(tmp_path: Path) -> None:
    header = f"{HEADER},Currency"
    euros = Reporting(currency="EUR")
    assert reasons(tmp_path, header, f"{ORDER},1,1,USD", reporting=euros) == ("currency_other",)
    assert reasons(tmp_path, header, f"{ORDER},1,1,eur", reporting=euros) == ()
    assert reasons(tmp_path, header, f"{ORDER},1,1,", reporting=euros) == ()


def test_a_source_in_another_currency_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"{ORDER},1,1")
    result = one(warehouse, path, source="till", currency="EUR")
    assert (result.status, result.message) == (
        "refused",
        "source 'till' is in EUR (as sources.toml says), and the warehouse counts in USD: amounts of "
        "different currencies cannot be added up",
    )
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]
    assert one(warehouse, path, source="till", currency="EUR", reporting=Reporting("EUR")).status == "landed"


def test_a_line_id_is_what_a_line_is_known_by(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        f"{ORDER},1,1,L1",
        f"{ORDER},2,1,L2",
        "1,Q,2024-01-01,2,1,L1",
        "2,P,2024-01-01,1,1,L1",
        "3,P,2024-01-01,1,1, ",
        f"{ORDER},1,1,L1",
        f"4,P,2024-01-01,1,1,{'x' * 201}",
        "5,,2024-01-01,1,1,L1",
    ]
    path = csv_file(tmp_path, *rows, header=f"{HEADER},Line")
    for block in (30, 10_000):
        small(monkeypatch, block)
        batch = one(warehouse, path, source=f"by {block}", columns={"line_id": "Line"}).batch_id
        assert asked(
            warehouse,
            "select order_id, product_id, line_id from raw.order_lines where batch_id = %s "
            "order by row_number",
            batch,
        ) == [("1", "P", "L1"), ("1", "P", "L2"), ("2", "P", "L1")]
        assert asked(
            warehouse,
            "select row_number, reasons, order_id, product_id, line_id from raw.quarantine "
            "where batch_id = %s order by row_number",
            batch,
        ) == [
            (4, ["line_id_repeated"], "1", "Q", "L1"),
            (6, ["line_id_missing"], None, None, None),
            (7, ["duplicate_row"], "1", "P", "L1"),
            (8, ["line_id_too_long"], None, None, None),
            (9, ["product_id_missing"], "5", None, "L1"),
        ]


def test_a_line_id_counts_only_when_it_is_mapped(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, f"{ORDER},1,1,7", header=f"{HEADER},Line ID"))
    assert asked(warehouse, "select line_id, extra from raw.order_lines") == [(None, {"Line ID": "7"})]


def test_an_append_may_not_change_how_lines_are_told_apart(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"{ORDER},1,1,7", header=f"{HEADER},Line ID")
    one(warehouse, path)
    by_id = {"columns": {"line_id": "Line ID"}}
    refused = one(warehouse, path, **by_id)
    assert refused.status == "refused"
    assert refused.message is not None
    assert refused.message.startswith(
        "the source's lines were told apart by product until now, and by line_id"
    )
    # Told of by the overwrite's own guard, and taken when it is forced.
    assert one(warehouse, path, mode="overwrite", force=True, **by_id).status == "landed"
    assert one(warehouse, path, **by_id).status == "landed"


@pytest.mark.parametrize(
    ("row", "options", "found"),
    [
        (f"{ORDER},2,10,1.60,", {}, ("1.60", None, False)),
        (f"{ORDER},-2,10,-1.60,", {}, ("-1.60", None, False)),
        (f"{ORDER},-2,10,1.60,", {"prices_include_tax": True}, ("1.60", None, True)),
        (f"{ORDER},2,10,20,", {"prices_include_tax": True}, ("20", None, True)),
        (f"{ORDER},2,10,,19%", {"prices_include_tax": True}, (None, "0.19", True)),
        (f"{ORDER},2,10,1.60,0.07", {}, ("1.60", "0.07", False)),
        (f'{ORDER},2,10,"1,60","7,5 %"', {"decimal_mark": ","}, ("1.60", "0.075", False)),
        (f"{ORDER},-2,10,-1.60,", {"negative_quantity": "sale"}, ("-1.60", None, False)),
    ],
)
def test_tax_lands_as_it_is_stated(
    warehouse: Warehouse, tmp_path: Path, row: str, options: dict[str, Any], found: tuple[Any, ...]
) -> None:
    one(warehouse, csv_file(tmp_path, row, header=f"{HEADER},Tax,Tax Rate"), **options)
    tax, rate, is_included = found
    assert asked(warehouse, "select tax, tax_rate, prices_include_tax from raw.order_lines") == [
        (tax and Decimal(tax), rate and Decimal(rate), is_included)
    ]


def test_a_constant_rate_may_be_a_percentage(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"{ORDER},2,10")
    one(warehouse, path, prices_include_tax=True, constants={"tax_rate": "19%"})
    assert asked(warehouse, "select tax, tax_rate from raw.order_lines") == [(None, Decimal("0.19"))]


@pytest.mark.parametrize(
    ("tax", "rate", "reason"),
    [
        ("", "", "tax_missing"),
        ("much", "", "tax_invalid"),
        ("-1", "", "tax_out_of_range"),
        ("20.000001", "", "tax_out_of_range"),
        ("1000000000000", "", "tax_out_of_range"),
        ("1.0000001", "", "tax_too_precise"),
        ("", "a fifth", "tax_rate_invalid"),
        ("", "19", "tax_rate_out_of_range"),
        ("", "-1%", "tax_rate_out_of_range"),
        ("", "0.1234567", "tax_rate_too_precise"),
    ],
)
def test_tax_that_cannot_be_is_quarantined(tmp_path: Path, tax: str, rate: str, reason: str) -> None:
    good = "0,P,2024-01-01,1,1,0,"
    result = checked(
        tmp_path, f"{HEADER},Tax,Tax Rate", good, f"{ORDER},2,10,{tax},{rate}", prices_include_tax=True
    )
    assert [row.reasons for row in result.quarantine_samples] == [(reason,)]


def test_tax_is_at_most_what_was_paid_after_the_discount(tmp_path: Path) -> None:
    header = f"{HEADER},Discount,Tax"
    rows = [
        "0,P,2024-01-01,3,1.111111,0.333333,2.222223",
        "1,P,2024-01-01,3,1.111111,0.333333,2.222224",
        f"{ORDER},2,10,0.5,10",
        f"{ORDER},2,10,0.5,10.01",
    ]
    result = checked(tmp_path, header, "9,P,2024-01-01,1,1,0,0", *rows, prices_include_tax=True)
    assert [row.reasons for row in result.quarantine_samples] == [("tax_out_of_range",)] * 2


def test_prices_with_tax_need_to_say_how_much(tmp_path: Path) -> None:
    [result] = check(
        request_of((csv_file(tmp_path, f"{ORDER},1,1"),), prices_include_tax=True), lambda _: None
    )
    assert result.status == "refused"
    assert result.message == (
        "sources.toml says prices_include_tax, and nothing says how much: the file needs a column of tax or "
        'tax_rate, or sources.toml a constant, as in constants.tax_rate = "19%"'
    )


def test_an_orders_shipping_is_kept_apart_from_a_lines(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [f"{ORDER},1,1,5", "1,Q,2024-01-01,1,1,", "2,P,2024-01-01,1,1,0"]
    one(warehouse, csv_file(tmp_path, *rows, header=f"{HEADER},Shipping Cost"), shipping="per_order")
    assert asked(warehouse, "select shipping, order_shipping from raw.order_lines order by row_number") == [
        (0, 5),
        (0, None),
        (0, 0),
    ]


def test_an_orders_shipping_keeps_the_rules_of_shipping(tmp_path: Path) -> None:
    for written, reason in [("-1", "shipping_negative"), ("free", "shipping_invalid")]:
        row = f"{ORDER},1,1,{written}"
        assert reasons(tmp_path, f"{HEADER},Shipping Cost", row, shipping="per_order") == (reason,)


def test_a_declared_column_is_kept_under_its_declared_name_and_must_be_there(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = csv_file(tmp_path, f"{ORDER},1,1,Spring,7", header=f"{HEADER}, CAMPAIGN ,Till")
    one(warehouse, path, extra=("campaign",))
    assert asked(warehouse, "select extra from raw.order_lines") == [({"campaign": "Spring", "Till": "7"},)]
    [result] = landed(warehouse, path, extra=("campaign", "channel"), source="other")
    assert result.status == "refused"
    assert result.message is not None
    assert result.message.startswith("required column is missing: channel. Found in")


def test_a_blank_constant_stands_for_a_blank_column(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, f"{ORDER},1,1"), constants={"region": "", "unit_cost": ""})
    assert asked(warehouse, "select region, unit_cost from raw.order_lines") == [("Unspecified", None)]
