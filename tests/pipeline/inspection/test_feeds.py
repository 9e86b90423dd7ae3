"""Files of the other feeds: told by their column names alone, and described so that they load."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.inspection import Problem
from pipeline.landing import LandingRequest, check
from pipeline.sources import read_sources
from tests.pipeline.inspection.proposing import inspected
from tests.pipeline.landing.files import bytes_file

# A feed → a file as a shop may write it, its first row as it would land, the rules that its second row
# breaks, and what an entry says of it.
FILES: dict[str, tuple[str, dict[str, Any], tuple[str, ...], dict[str, Any]]] = {
    "refunds": (
        "Gutschriftsnummer;Bestellnummer;Betrag;Erstattungsdatum;Grund;Kanal\n"
        "G1;1001;1.210,50;31.01.2024;kaputt;Post\n"
        "G2;1002;-5,00;01.02.2024;;Post\n",
        {
            "row_number": 2,
            "refund_id": "G1",
            "order_id": "1001",
            "product_id": None,
            "amount": "1210.50",
            "reason": "kaputt",
            "source": None,
            "refund_date": date(2024, 1, 31),
            "quantity": None,
            "extra": '{"Kanal":"Post"}',
        },
        ("amount_not_positive",),
        {
            "columns": {
                "refund_id": "Gutschriftsnummer",
                "order_id": "Bestellnummer",
                "amount": "Betrag",
                "date": "Erstattungsdatum",
                "reason": "Grund",
            },
            "date_format": "%d.%m.%Y",
            "decimal_mark": ",",
            "thousands_mark": ".",
        },
    ),
    "unit_costs": (
        "Artikelnummer;EK-Preis;Gültig ab\nP1;1,50;31.01.2024\nP2;-2,25;01.02.2024\n",
        {"row_number": 2, "product_id": "P1", "cost": "1.50", "valid_from": date(2024, 1, 31), "extra": None},
        ("cost_negative",),
        {
            "columns": {"product_id": "Artikelnummer", "cost": "EK-Preis", "valid_from": "Gültig ab"},
            "date_format": "%d.%m.%Y",
            "decimal_mark": ",",
        },
    ),
    "stores": (
        "Filialnummer,Ort,Region\nS1,Wien,Ost\n,Graz,Süd\n",
        {
            "row_number": 2,
            "store_id": "S1",
            "city": "Wien",
            "region": "Ost",
            "address": None,
            "extra": None,
        },
        ("store_id_missing",),
        {"columns": {"store_id": "Filialnummer", "city": "Ort"}},
    ),
    "products": (
        "SKU,Title,Product Description,RRP,Cost per Item,Colour\nP1,Hat,Of felt,9.99,4,red\nP2,Cap,,9,x,\n",
        {
            "row_number": 2,
            "product_id": "P1",
            "name": "Hat",
            "category": None,
            "list_price": "9.99",
            "unit_cost": "4",
            "description": "Of felt",
            "extra": '{"Colour":"red"}',
        },
        ("unit_cost_invalid",),
        {
            "columns": {
                "product_id": "SKU",
                "name": "Title",
                "description": "Product Description",
                "list_price": "RRP",
                "unit_cost": "Cost per Item",
            }
        },
    ),
    "customers": (
        "Customer Number,Full Name,Contact,Age\nC1,Sarah,sarah@example.com,41\n,Tom,tom@example.com,42\n",
        {
            "row_number": 2,
            "customer_id": "C1",
            "name": "Sarah",
            "email": "sarah@example.com",
            "address": None,
            "extra": '{"Age":"41"}',
        },
        ("customer_id_missing",),
        {"columns": {"customer_id": "Customer Number", "name": "Full Name", "email": "Contact"}},
    ),
}


@pytest.mark.parametrize("feed", FILES)
def test_a_file_of_a_feed_loads_by_its_entry(tmp_path: Path, feed: str) -> None:
    text, first_row, broken, said = FILES[feed]
    path = bytes_file(tmp_path, text.encode())
    found = inspected(path, feed=feed)
    assert found.first_rows == (first_row,)
    assert found.problems == tuple(Problem(rule, 1, (3,)) for rule in broken)
    assert (found.rows_read, found.rows_accepted, found.rows_quarantined) == (2, 1, 1)
    assert (found.missing, found.refusal, found.feed_note) == ((), None, None)
    assert found.settings.model_dump(exclude_defaults=True) == {"feed": feed, **said}
    assert found.sources_toml.startswith(f'[shop]\nfeed = "{feed}"\n')

    (tmp_path / "sources.toml").write_text(found.sources_toml, encoding="utf-8")
    settings = read_sources(tmp_path / "sources.toml")["shop"]
    assert settings == found.settings
    (result,) = check(LandingRequest((path,), source="shop", settings=settings), lambda _: None)
    assert (result.status, result.rows_accepted, result.rows_quarantined) == ("checked", 1, 1)


@pytest.mark.parametrize(
    ("feed", "header"),
    [
        ("unit_costs", "Product ID,Unit Cost,Valid From"),
        ("refunds", "Refund ID,Order ID,Amount,Date"),
        # Also what would be order lines by other names.
        ("refunds", "Refund ID,Order ID,Product ID,Quantity,Date,Price"),
        ("stores", "Store ID,City,Region,Store Address"),
        ("products", "Product ID,Product Name,Category"),
        ("products", "product_id,name,list_price,unit_cost"),
        ("customers", "Customer ID,Customer Name,Customer Email,Customer Address"),
    ],
)
def test_a_feed_that_the_column_names_say_is_told(tmp_path: Path, feed: str, header: str) -> None:
    values = {"Date": "2024-01-31", "Valid From": "2024-01-31", "Amount": "5", "Quantity": ""}
    row = ",".join(values.get(name, "1") for name in header.split(","))
    found = inspected(bytes_file(tmp_path, f"Export of 2024\n\n{header}\n{row}\n".encode()))
    assert found.feed_note == (
        f"The column names are those of {feed}, and not of order lines, so it is looked at as {feed} "
        "(unless --feed says otherwise)."
    )
    assert (found.settings.feed, found.header_line) == (feed, 3)
    assert found.sources_toml == f'[shop]\nfeed = "{feed}"\n'


@pytest.mark.parametrize(
    "header",
    [
        # An order line has all that a product or a customer needs.
        "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Customer ID,Store ID",
        "Order ID,Product ID,Date of Sale,Quantity Sold,Total",
        "Bestellnummer,Artikel,Datum,Menge,Betrag,Customer ID",
        "Order ID,Customer ID,Total",
        "Something,Else",
    ],
)
def test_what_may_be_order_lines_is_looked_at_as_order_lines(tmp_path: Path, header: str) -> None:
    row = ",".join("1" for _ in header.split(","))
    found = inspected(bytes_file(tmp_path, f"{header}\n{row}\n".encode()))
    assert (found.settings.feed, found.feed_note) == ("order_lines", None)


def test_two_feeds_that_it_could_be_are_both_named_and_neither_is_taken(tmp_path: Path) -> None:
    found = inspected(bytes_file(tmp_path, b"Product ID,Unit Cost\nP,1\n"))
    assert found.feed_note == "The column names could be those of unit_costs or products: say --feed."
    assert found.settings.feed == "order_lines"
    assert found.missing == ("order_id", "sale_date", "quantity", "unit_price")


def test_what_is_said_of_the_feed_is_not_looked_for(tmp_path: Path) -> None:
    path = bytes_file(tmp_path, b"Refund ID,Order ID,Amount,Date\nR1,1,5,2024-01-31\n")
    found = inspected(path, feed="order_lines")
    assert (found.settings.feed, found.feed_note) == ("order_lines", None)
    assert found.refusal is not None


def test_dates_that_can_be_read_in_two_ways_are_a_doubt_in_every_feed(tmp_path: Path) -> None:
    found = inspected(bytes_file(tmp_path, b"Refund ID,Order ID,Amount,Date\nR1,1,5,03/04/2024\n"))
    assert [doubt.setting for doubt in found.doubts] == ["date_format"]
    assert found.first_rows == ()
    assert "# date_format = \"%d/%m/%Y\"  # %d/%m/%Y reads '03/04/2024' as 2024-04-03" in found.sources_toml
