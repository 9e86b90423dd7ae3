"""Headers get the column that they surely mean, and a doubt where they do not."""

import pytest

from pipeline.inspection.aliases import SYSTEMS, key
from pipeline.inspection.feed_aliases import ALIASES_BY_FEED
from pipeline.inspection.matching import read_headers, system_of
from pipeline.sources import FEEDS, SourceSettings


def columns_of(*headers: str, **known: object) -> list[str | None]:
    readings = read_headers(headers, SourceSettings.model_validate(known))
    return [reading.column for reading in readings]


@pytest.mark.parametrize("feed", FEEDS)
def test_no_usual_name_means_two_columns_of_a_feed(feed: str) -> None:
    columns, aliases = FEEDS[feed].columns, ALIASES_BY_FEED[feed]
    # A feed's own names count like those that it is known by.
    spelled = [
        name
        for column, title in columns.items()
        for name in {key(title), key(column), *map(key, aliases[column])}
    ]
    assert sorted({name for name in spelled if spelled.count(name) > 1}) == []
    assert aliases.keys() == columns.keys()


@pytest.mark.parametrize(
    ("headers", "columns"),
    [
        (
            ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
             "Country"),
            ("order_id", "product_id", "product_name", "quantity", "sale_date", "unit_price", "customer_id",
             "region"),
        ),
        (
            ("Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price",
             "Lineitem sku", "Lineitem discount", "Shipping Country"),
            ("order_id", "customer_email", "sale_date", "quantity", "product_name", "unit_price",
             "product_id", None, "region"),
        ),
        (
            ("Order Number", "Order Date", "SKU", "Item Name", "Quantity", "Item Cost", "Order Total Amount"),
            ("order_id", "sale_date", "product_id", "product_name", "quantity", "unit_price", None),
        ),
        (
            ("N° commande", "Réf", "Date de commande", "Quantité", "Prix unitaire", "Montant", "Pays"),
            ("order_id", "product_id", "sale_date", "quantity", "unit_price", None, "region"),
        ),
        (
            ("Nº pedido", "Código", "Fecha", "Cantidad", "Precio unitario", "Importe", "País"),
            ("order_id", "product_id", "sale_date", "quantity", "unit_price", None, "region"),
        ),
    ],
    ids=["UCI Online Retail", "Shopify", "WooCommerce", "French", "Spanish"],
)  # fmt: skip
def test_exports_are_recognised(headers: tuple[str, ...], columns: tuple[str | None, ...]) -> None:
    assert columns_of(*headers) == list(columns)


def test_every_system_is_told_by_its_own_headers() -> None:
    for name, headers in SYSTEMS.items():
        assert system_of(["Something else", *headers.values()], "order_lines") == name
    assert system_of(["Name", "SKU"], "order_lines") is None


def test_a_column_is_given_once_and_the_other_header_says_what_it_could_be() -> None:
    readings = read_headers(("Invoice Date", "Order Date"), SourceSettings())
    assert [(reading.column, reading.remark) for reading in readings] == [
        (None, "could be sale_date too, which is 'Order Date' here"),
        ("sale_date", None),
    ]


def test_a_name_of_ours_goes_before_a_usual_one() -> None:
    assert columns_of("Price", "Unit Price") == [None, "unit_price"]


def test_almost_a_usual_name_is_uncertain() -> None:
    (reading,) = read_headers(("Kundennumer",), SourceSettings())
    assert (reading.column, reading.confidence, reading.remark) == (
        "customer_id",
        "uncertain",
        "spelled almost as 'Kundennummer'",
    )


def test_names_that_are_like_nothing_are_kept_beside_the_line() -> None:
    readings = read_headers(("Campaign", "", "###", "日付"), SourceSettings())
    assert [(reading.column, reading.confidence) for reading in readings] == [(None, None)] * 4


def test_a_header_that_is_there_twice_is_not_taken_for_a_column() -> None:
    assert columns_of("Menge", "menge") == [None, None]


def test_what_the_source_says_goes_before_everything() -> None:
    assert columns_of("Menge", "Anzahl", columns={"quantity": "Anzahl"}) == [None, "quantity"]
    assert columns_of("Land", constants={"region": "Online"}) == [None]
