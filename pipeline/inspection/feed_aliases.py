"""Column names of the other feeds, as shops and tills are known to write them."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.inspection.aliases import ALIASES
from pipeline.sources import ORDER_LINES

# Beside an order line they are the product's name; in a list of products both are there.
_DESCRIPTIONS = (
    "Description", "Product Description", "Item Description", "Long Description", "Beschreibung",
    "Produktbeschreibung", "Descripción", "Descrizione", "Omschrijving",
)  # fmt: skip

# Feed → column → names that mean the same in most files, the likeliest first.
ALIASES_BY_FEED: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        ORDER_LINES: ALIASES,
        "unit_costs": {
            "product_id": ALIASES["product_id"],
            "cost": ALIASES["unit_cost"],
            "valid_from": (
                "Effective From", "Effective Date", "Start Date", "Starting Date", "Gültig ab", "Gültig von",
                "Date d'effet", "Válido desde", "Vigente desde",
            ),
        },
        "refunds": {
            "refund_id": (
                "Refund Number", "Refund No", "Refund Reference", "Return ID", "Return Number",
                "Credit Note Number", "Credit Note No", "Credit Memo Number", "Erstattungsnummer",
                "Gutschriftsnummer", "Gutschrift-Nr", "Retourennummer", "Numéro de remboursement",
                "Numéro d'avoir", "N° avoir", "Número de reembolso", "Nº reembolso",
            ),
            "order_id": ALIASES["order_id"],
            "product_id": ALIASES["product_id"],
            "amount": (
                "Refund Amount", "Refunded Amount", "Amount Refunded", "Total Refunded", "Betrag",
                "Erstattungsbetrag", "Montant", "Montant remboursé", "Importe", "Importe reembolsado",
            ),
            "quantity": (*ALIASES["quantity"], "Quantity Refunded", "Refunded Quantity", "Quantity Returned"),
            "date": (
                "Refunded At", "Refunded On", "Date Refunded", "Return Date", "Credit Note Date",
                "Created at", "Processed At", "Erstattungsdatum", "Gutschriftsdatum", "Retourendatum",
                "Datum", "Date de remboursement", "Fecha de reembolso", "Fecha",
            ),
            "reason": (
                "Refund Reason", "Return Reason", "Grund", "Erstattungsgrund", "Retourengrund", "Motif",
                "Motivo",
            ),
            "source": (),
        },
        "stores": {
            "store_id": ALIASES["store_id"],
            "city": ("Town", "Stadt", "Ort", "Ville", "Ciudad", "Città", "Plaats"),
            "region": ALIASES["region"],
            "address": (
                "Street Address", "Adresse", "Anschrift", "Filialadresse", "Dirección", "Indirizzo", "Adres",
            ),
        },
        "products": {
            "product_id": ALIASES["product_id"],
            "name": tuple(name for name in ALIASES["product_name"] if name not in _DESCRIPTIONS),
            "category": ALIASES["category"],
            "list_price": (
                "Price", "Retail Price", "Recommended Retail Price", "Selling Price", "Variant Price", "RRP",
                "MSRP", "Listenpreis", "Verkaufspreis", "VK-Preis", "VK", "UVP", "Preis", "Prix de vente",
                "Prix catalogue", "Prix", "Precio de venta", "Precio", "Prezzo", "Prijs",
            ),
            "unit_cost": ALIASES["unit_cost"],
            "description": _DESCRIPTIONS,
        },
        "customers": {
            "customer_id": ALIASES["customer_id"],
            "name": ALIASES["customer_name"],
            "email": ALIASES["customer_email"],
            "address": ALIASES["customer_address"],
        },
    }
)  # fmt: skip
