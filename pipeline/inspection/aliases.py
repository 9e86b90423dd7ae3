"""Column names that shops and tills are known to write.

They are what an inspection proposes; a load takes none of them unless ``sources.toml`` says so.
"""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

# Exports that are known by their own names: all of a system's must be there.
SYSTEMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Shopify": {
            "order_id": "Name",
            "product_id": "Lineitem sku",
            "sale_date": "Created at",
            "quantity": "Lineitem quantity",
            "unit_price": "Lineitem price",
        },
        "WooCommerce": {
            "order_id": "Order Number",
            "product_id": "SKU",
            "sale_date": "Order Date",
            "quantity": "Quantity",
            "unit_price": "Item Cost",
        },
        "Square": {
            "order_id": "Transaction ID",
            "product_id": "SKU",
            "sale_date": "Date",
            "quantity": "Qty",
            "product_name": "Item",
        },
        "Lightspeed": {
            "order_id": "Receipt Number",
            "product_id": "Sku",
            "sale_date": "Sale Date",
            "quantity": "Quantity",
            "product_name": "Details",
        },
        "UCI Online Retail": {
            "order_id": "InvoiceNo",
            "product_id": "StockCode",
            "sale_date": "InvoiceDate",
            "quantity": "Quantity",
            "unit_price": "UnitPrice",
        },
    }
)

# Names that mean the same in most files, the likeliest first. Sums of a line or an order (Total, Amount,
# Betrag, Montant, Importe) are none of our columns, so they are not here.
ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "order_id": (
            "Order ID", "Order", "Order Number", "Order No", "Order Nr", "Order Reference", "Order Name",
            "Invoice", "Invoice No", "Invoice Number", "Invoice ID", "Transaction ID", "Transaction Number",
            "Transaction", "Receipt", "Receipt Number", "Receipt No", "Receipt ID", "Ticket", "Ticket Number",
            "Bill No", "Bill Number", "Sale ID", "Sale Number", "Sales Order", "Document Number",
            "Bestellnummer", "Bestell-Nr", "Bestellung", "Auftragsnummer", "Auftrag", "Auftrags-Nr",
            "Rechnungsnummer", "Rechnungs-Nr", "Belegnummer", "Beleg-Nr", "Bonnummer", "Bon-Nr",
            "Numéro de commande", "N° de commande", "N° commande", "Commande", "Référence commande",
            "Numéro de facture", "N° facture", "Facture", "Ticket de caisse",
            "Número de pedido", "N.º de pedido", "Nº pedido", "Pedido", "ID de pedido", "Número de factura",
            "Nº factura", "Factura", "Numero ordine", "Ordine", "Bestelnummer", "Ordernummer",
        ),
        "product_id": (
            "SKU", "Lineitem sku", "Product SKU", "Item SKU", "Variant SKU", "Stock Code", "Product Code",
            "Item Code", "Item Number", "Item No", "Item ID", "Article", "Article Number",
            "Article No", "Article ID", "Product Number", "Product No", "Part Number", "Material", "ASIN",
            "EAN", "GTIN", "UPC", "Barcode", "System ID", "PLU",
            "Artikelnummer", "Artikel-Nr", "Artikel Nr", "Art.-Nr", "ArtNr", "Produktnummer", "Produkt-Nr",
            "Produkt-ID", "Materialnummer", "Artikel",
            "Référence", "Référence produit", "Réf", "Code article", "Code produit", "ID produit",
            "Referencia", "Código de producto", "Código producto", "Código de artículo", "Código artículo",
            "ID de producto", "Código", "Codice articolo", "Codice prodotto", "Artikelcode",
        ),
        "sale_date": (
            "Order Date", "Sale Date", "Sales Date", "Date", "Created at", "Invoice Date", "Transaction Date",
            "Purchase Date", "Date Ordered", "Ordered At", "Ordered On", "Order Created", "Date Created",
            "Order Placed", "Receipt Date", "Completed At", "Timestamp", "Date & Time", "Datetime",
            "Bestelldatum", "Datum", "Auftragsdatum", "Rechnungsdatum", "Belegdatum", "Kaufdatum",
            "Verkaufsdatum", "Date de commande", "Date commande", "Date de vente", "Date d'achat",
            "Date de facture", "Fecha", "Fecha de pedido", "Fecha del pedido", "Fecha pedido",
            "Fecha de venta", "Fecha de compra", "Fecha de factura", "Data ordine", "Besteldatum",
        ),
        "quantity": (
            "Quantity", "Qty", "Lineitem quantity", "Order Quantity", "Quantity Ordered", "Qty Ordered",
            "Item Quantity", "Units", "Units Sold", "Pieces", "Count",
            "Menge", "Anzahl", "Stück", "Stückzahl", "Verkaufte Menge",
            "Quantité", "Qté", "Quantité vendue",
            "Cantidad", "Cant", "Unidades", "Unidades vendidas", "Quantità", "Aantal",
        ),
        "unit_price": (
            "Lineitem price", "Price", "Item Price", "Item Cost", "Price Each", "Price per Unit",
            "Price per Item", "Product Price", "Sale Price", "Selling Price", "Sales Price",
            "Unit Sale Price", "Retail Price", "Unit Retail",
            "Einzelpreis", "Stückpreis", "Preis", "Verkaufspreis", "VK-Preis", "VK", "Preis pro Stück",
            "Prix unitaire", "Prix", "Prix de vente", "PU", "Precio unitario", "Precio", "Precio de venta",
            "Precio por unidad", "Prezzo unitario", "Prezzo", "Stukprijs", "Prijs",
        ),
        "discount": (
            "Discount Rate", "Discount Percent", "Discount %", "Rabatt", "Rabatt %", "Nachlass",
            "Remise", "Remise %", "Réduction", "Descuento", "Descuento %", "Dto", "Sconto", "Korting",
        ),
        "shipping": (
            "Shipping", "Shipping Price", "Shipping Fee", "Shipping Charge", "Freight", "Delivery Cost",
            "Delivery Fee", "Postage", "Versandkosten", "Versand", "Porto", "Lieferkosten",
            "Frais de port", "Frais de livraison", "Livraison", "Gastos de envío", "Coste de envío", "Envío",
        ),
        "customer_id": (
            "Customer", "Customer Number", "Customer No", "Customer Code", "Client ID", "Client", "Buyer ID",
            "Account Number", "User ID", "Member ID",
            "Kundennummer", "Kunden-Nr", "Kd-Nr", "Kunden-ID", "Kunde", "Numéro client", "N° client",
            "Code client", "ID client", "Número de cliente", "Nº cliente", "ID de cliente", "ID cliente",
            "Código de cliente", "Cliente", "Klantnummer",
        ),
        "product_name": (
            "Lineitem name", "Item Name", "Product Title", "Product", "Item", "Item Description",
            "Description", "Product Description", "Title", "Details",
            "Artikelbezeichnung", "Artikelname", "Bezeichnung", "Produktname", "Produkt", "Beschreibung",
            "Désignation", "Nom du produit", "Produit", "Libellé", "Nombre del producto", "Producto",
            "Descripción", "Artículo", "Descrizione", "Prodotto", "Productnaam", "Omschrijving",
        ),
        "category": (
            "Product Category", "Item Category", "Product Type", "Department", "Product Group", "Item Type",
            "Kategorie", "Warengruppe", "Produktgruppe", "Produktkategorie", "Catégorie", "Famille", "Rayon",
            "Categoría", "Familia", "Categoria", "Categorie",
        ),
        "region": (
            "Country", "Shipping Country", "Billing Country", "Ship Country", "Sales Region", "Market",
            "Territory", "Land", "Lieferland", "Gebiet", "Pays", "Région", "Pays de livraison", "País",
            "Región", "País de envío", "Paese", "Regione", "Regio",
        ),
        "payment_method": (
            "Payment", "Payment Type", "Payment Method Title", "Paid With", "Tender", "Tender Type",
            "Zahlungsart", "Zahlart", "Zahlungsmethode", "Zahlungsweise", "Mode de paiement",
            "Moyen de paiement", "Paiement", "Método de pago", "Forma de pago", "Pago",
            "Metodo di pagamento", "Betaalmethode",
        ),
        "customer_name": (
            "Client Name", "Buyer Name", "Billing Name", "Full Name", "Kundenname", "Name des Kunden",
            "Nom du client", "Nom client", "Nombre del cliente", "Nombre cliente", "Klantnaam",
        ),
        "customer_email": (
            "Email", "E-Mail", "Email Address", "Email (Billing)", "Buyer Email", "Contact Email", "Mail",
            "E-Mail-Adresse", "Adresse e-mail", "Courriel", "Correo electrónico", "Correo",
        ),
        "customer_address": (
            "Address", "Shipping Address", "Billing Address", "Delivery Address", "Adresse", "Lieferadresse",
            "Anschrift", "Adresse de livraison", "Dirección", "Dirección de envío", "Indirizzo", "Adres",
        ),
        "unit_cost": (
            "Cost", "Cost Price", "Cost per Item", "Product Cost", "Purchase Price", "COGS",
            "Einkaufspreis", "EK", "EK-Preis", "Stückkosten", "Prix d'achat", "Coût unitaire",
            "Precio de compra", "Coste unitario", "Costo unitario", "Inkoopprijs",
        ),
        "store_id": (
            "Store Number", "Store No", "Store Code", "Branch ID", "Outlet ID", "Filialnummer", "Filial-Nr",
        ),
        "line_id": ("Order Line ID", "Line Item ID"),
        "currency": ("Currency Code", "Währung", "Devise", "Moneda", "Valuta"),
        "tax": ("Tax Amount", "VAT", "VAT Amount", "MwSt", "Steuer"),
        "tax_rate": ("Tax Percent", "VAT Rate", "MwSt-Satz", "Steuersatz"),
    }
)  # fmt: skip


def key(header: str) -> str:
    """A header's letters and digits alone, without accents and case: ``Bestell-Nr.`` is ``bestellnr``."""
    letters = unicodedata.normalize("NFKD", header)
    return "".join(character for character in letters if character.isalnum()).casefold()
