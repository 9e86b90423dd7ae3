"""The feeds besides order lines: each rule by the one row that breaks it, and what lands."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.landing import check
from pipeline.landing.feeds import FEEDS
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, landed, one, request_of
from tests.pipeline.landing.files import csv_file

# Of every format; tried with order lines.
DAMAGE = {
    "repeated_header",
    "row_too_long",
    "unclosed_quote",
    "malformed_quotes",
    "stray_carriage_return",
    "too_few_fields",
    "too_many_fields",
    "invalid_utf8",
    "nul_character",
    "malformed_json",
}
LONG = "x" * 201
# A feed → its header, a good row, and rows that break one rule each.
BROKEN: dict[str, tuple[str, str, dict[str, str]]] = {
    "unit_costs": (
        "Product ID,Unit Cost,Valid From",
        "P0,1.50,2024-01-01",
        {
            "product_id_missing": ",1,2024-01-01",
            "product_id_too_long": f"{LONG},1,",
            "cost_missing": "P1,,2024-01-01",
            "cost_invalid": "P1,cheap,",
            "cost_negative": "P1,-1,",
            "cost_too_precise": "P1,1.0000001,",
            "cost_out_of_range": "P1,1234567890123,",
            "valid_from_invalid": "P1,1,2024-13-01",
            "valid_from_out_of_range": "P1,1,1899-12-31",
            "duplicate_row": "P0,1.50,2024-01-01",
        },
    ),
    "refunds": (
        "Refund ID,Order ID,Product ID,Source,Amount,Quantity,Refund Date",
        "R0,1,,,5,,2024-01-01",
        {
            "refund_id_missing": ",1,,,5,,2024-01-01",
            "refund_id_too_long": f"{LONG},1,,,5,,2024-01-01",
            "order_id_missing": "R1,,,,5,,2024-01-01",
            "order_id_too_long": f"R1,{LONG},,,5,,2024-01-01",
            "product_id_too_long": f"R1,1,{LONG},,5,,2024-01-01",
            "source_too_long": f"R1,1,,{LONG},5,,2024-01-01",
            "date_missing": "R1,1,,,5,,",
            "date_invalid": "R1,1,,,5,,yesterday",
            "date_out_of_range": "R1,1,,,5,,2200-01-01",
            "amount_or_quantity_missing": "R1,1,P,,,,2024-01-01",
            "amount_and_quantity": "R1,1,P,,5,1,2024-01-01",
            "amount_invalid": "R1,1,,,five,,2024-01-01",
            "amount_not_positive": "R1,1,,,0.00,,2024-01-01",
            "amount_too_precise": "R1,1,,,0.0000001,,2024-01-01",
            "amount_out_of_range": "R1,1,,,1234567890123,,2024-01-01",
            "quantity_not_integer": "R1,1,P,,,1.5,2024-01-01",
            "quantity_not_positive": "R1,1,P,,,-1,2024-01-01",
            "quantity_out_of_range": "R1,1,P,,,2147483648,2024-01-01",
            "quantity_without_product": "R1,1,,,,1,2024-01-01",
            "duplicate_row": "R0,1,,,5,,2024-01-01",
        },
    ),
    "stores": (
        "Store ID,Region",
        "S0,North",
        {
            "store_id_missing": ",North",
            "store_id_too_long": f"{LONG},North",
            "region_too_long": f"S1,{LONG}",
            "duplicate_row": "S0,North",
        },
    ),
    "products": (
        "Product ID,Category,List Price,Unit Cost",
        "P0,Hats,1,1",
        {
            "product_id_missing": ",Hats,1,1",
            "product_id_too_long": f"{LONG},Hats,1,1",
            "category_too_long": f"P1,{LONG},1,1",
            "list_price_invalid": "P1,Hats,x,1",
            "list_price_negative": "P1,Hats,-1,1",
            "list_price_too_precise": "P1,Hats,1.0000001,1",
            "list_price_out_of_range": "P1,Hats,1234567890123,1",
            "unit_cost_invalid": "P1,Hats,1,x",
            "unit_cost_negative": "P1,Hats,1,-1",
            "unit_cost_too_precise": "P1,Hats,1,1.0000001",
            "unit_cost_out_of_range": "P1,Hats,1,1234567890123",
            "duplicate_row": "P0,Hats,1,1",
        },
    ),
    "customers": (
        "Customer ID,Customer Name",
        "C0,Sarah",
        {
            "customer_id_missing": ",Sarah",
            "customer_id_too_long": f"{LONG},Sarah",
            "duplicate_row": "C0,Sarah",
        },
    ),
}
CASES = [(feed, code, row) for feed, (_, _, rows) in BROKEN.items() for code, row in rows.items()]


@pytest.mark.parametrize(("feed", "code", "row"), CASES, ids=[f"{feed}-{code}" for feed, code, _ in CASES])
def test_a_row_that_breaks_one_rule_is_quarantined_under_its_code(
    tmp_path: Path, feed: str, code: str, row: str
) -> None:
    header, good, _ = BROKEN[feed]
    [result] = check(request_of((csv_file(tmp_path, good, row, header=header),), feed=feed), lambda _: None)
    assert [problem.reasons for problem in result.quarantine_samples] == [(code,)]
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (2, 1, 1)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_rule_has_a_row_that_breaks_it(feed: str) -> None:
    rules = set(FEEDS[feed].contract._validation_rules(with_cast=False))
    assert set(BROKEN[feed][2]) | DAMAGE == rules


@pytest.mark.parametrize(
    ("feed", "header", "row", "table", "stored"),
    [
        (
            "unit_costs",
            "product_id,cost,valid_from,Supplier",
            "P1,1.500000,31.12.2023,Acme",
            "unit_costs",
            ("P1", Decimal("1.5"), date(2023, 12, 31), {"Supplier": "Acme"}),
        ),
        ("unit_costs", "Product ID,Unit Cost", "P1,2", "unit_costs", ("P1", Decimal(2), None, None)),
        (
            "refunds",
            "Refund ID,Order ID,Product ID,Quantity,Date,Reason",
            "R1,7,P1,2.0,2024-02-29,Too small",
            "refunds",
            ("R1", None, "7", "P1", None, 2, date(2024, 2, 29), "Too small", None),
        ),
        (
            "stores",
            "Store ID,City,Region,Address",
            "S1,Oslo,North,1 High Street, Oslo",
            "stores",
            ("S1", "Oslo", "North", "1 High Street, Oslo", None),
        ),
        (
            "products",
            "Product ID,Name,Category,List Price,Unit Cost,Description,Colour",
            "P1,Hat,Hats,9.99,4,A hat,red",
            "product_records",
            ("P1", "Hat", "Hats", Decimal("9.99"), Decimal(4), "A hat", {"Colour": "red"}),
        ),
        (
            "customers",
            "Customer ID,Name,Email,Age",
            "C1,Sarah,,41",
            "customer_records",
            ("C1", "Sarah", None, None, {"Age": "41"}),
        ),
    ],
)  # fmt: skip
def test_a_row_lands_in_its_feeds_table(
    warehouse: Warehouse,
    tmp_path: Path,
    feed: str,
    header: str,
    row: str,
    table: str,
    stored: tuple[Any, ...],
) -> None:
    result = one(warehouse, csv_file(tmp_path, row, header=header), feed=feed)
    assert (result.status, result.rows_accepted) == ("landed", 1)
    [found] = asked(warehouse, f"select * from raw.{table}")
    assert found == (result.batch_id, 2, *stored)
    assert asked(warehouse, "select feed, rows_read from raw.batches") == [(feed, 1)]


def test_the_same_file_is_skipped_within_its_feed_alone(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, "P1,2", header="Product ID,Unit Cost")
    assert [one(warehouse, path, feed=feed).status for feed in ("unit_costs", "products", "unit_costs")] == [
        "landed",
        "landed",
        "skipped",
    ]


def test_a_file_of_another_feed_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    [result] = landed(warehouse, csv_file(tmp_path, "P1,2", header="Product ID,Unit Cost"), feed="refunds")
    assert result.status == "refused"
    assert result.message is not None
    assert result.message.startswith(
        "required columns are missing: Refund ID, Order ID, Refund Date. Found in the line of column names: "
        "Product ID, Unit Cost"
    )
    assert asked(warehouse, "select count(*) from raw.refunds") == [(0,)]


def test_many_broken_rows_refuse_the_file(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [f"P{number},{'x' if number < 21 else 1}" for number in range(100)]
    result = one(warehouse, csv_file(tmp_path, *rows, header="Product ID,Unit Cost"), feed="unit_costs")
    assert (result.status, result.rows_quarantined) == ("refused", 21)
    assert asked(warehouse, "select count(*) from raw.unit_costs") == [(0,)]


def test_a_sources_marks_and_names_hold_for_its_feed(warehouse: Warehouse, tmp_path: Path) -> None:
    one(
        warehouse,
        csv_file(tmp_path, "P1;1.234,5", header="Artikel;Preis"),
        feed="unit_costs",
        columns={"product_id": "Artikel", "cost": "Preis"},
        constants={"valid_from": "01.02.2024"},
        decimal_mark=",",
        thousands_mark=".",
        date_format="%d.%m.%Y",
    )
    assert asked(warehouse, "select product_id, cost, valid_from from raw.unit_costs") == [
        ("P1", Decimal("1234.5"), date(2024, 2, 1))
    ]
