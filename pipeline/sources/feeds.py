"""The feeds besides order lines: their columns, as people know them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

FeedName = Literal["order_lines", "unit_costs", "refunds", "stores", "products", "customers"]


@dataclass(frozen=True)
class FeedColumns:
    """Our name of each column → the header as people know it; which a file must have.

    ``date`` is the column whose format is looked for; ``numbers`` are written as the source says.
    """

    columns: Mapping[str, str]
    required: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    date: str | None = None


OTHER_FEEDS: Mapping[FeedName, FeedColumns] = MappingProxyType(
    {
        "unit_costs": FeedColumns(
            {"product_id": "Product ID", "cost": "Unit Cost", "valid_from": "Valid From"},
            required=("product_id", "cost"),
            numbers=("cost",),
            date="valid_from",
        ),
        "refunds": FeedColumns(
            {
                "refund_id": "Refund ID",
                "order_id": "Order ID",
                "product_id": "Product ID",
                "amount": "Amount",
                "quantity": "Quantity",
                "date": "Refund Date",
                "reason": "Reason",
                "source": "Source",
            },
            required=("refund_id", "order_id", "date"),
            numbers=("amount", "quantity"),
            date="date",
        ),
        "stores": FeedColumns(
            {"store_id": "Store ID", "city": "City", "region": "Region", "address": "Store Address"},
            required=("store_id",),
        ),
        "products": FeedColumns(
            {
                "product_id": "Product ID",
                "name": "Product Name",
                "category": "Category",
                "list_price": "List Price",
                "unit_cost": "Unit Cost",
                "description": "Description",
            },
            required=("product_id",),
            numbers=("list_price", "unit_cost"),
        ),
        "customers": FeedColumns(
            {
                "customer_id": "Customer ID",
                "name": "Customer Name",
                "email": "Customer Email",
                "address": "Customer Address",
            },
            required=("customer_id",),
        ),
    }
)
