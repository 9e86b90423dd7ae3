"""Which column of a file is which of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.landing.errors import FileRefused

# Our name → the header as people know it.
TITLES = MappingProxyType(
    {
        "order_id": "Order ID",
        "product_id": "Product ID",
        "customer_id": "Customer ID",
        "product_name": "Product Name",
        "category": "Category",
        "region": "Region",
        "sale_date": "Date of Sale",
        "quantity": "Quantity Sold",
        "unit_price": "Unit Price",
        "discount": "Discount",
        "shipping": "Shipping Cost",
        "payment_method": "Payment Method",
        "customer_name": "Customer Name",
        "customer_email": "Customer Email",
        "customer_address": "Customer Address",
        "unit_cost": "Unit Cost",
    }
)
REQUIRED = ("order_id", "product_id", "sale_date", "quantity", "unit_price")
LAST_COLUMN_WITH_FREE_COMMAS = "customer_address"
_SHOWN_HEADERS = 30


def normalized(header: str) -> str:
    """A header without what people write differently: case, spaces, underscores."""
    return "".join(header.split()).replace("_", "").casefold()


_BY_HEADER = {normalized(title): name for name, title in TITLES.items()} | {
    normalized(name): name for name in TITLES
}


@dataclass(frozen=True)
class ColumnMap:
    """Where each of our columns is in the file, and what the other columns are called."""

    width: int
    positions: dict[str, int]
    extra: dict[str, int]

    @property
    def joins_surplus(self) -> bool:
        """Whether fields beyond the header belong to its last column, the address."""
        return self.positions.get(LAST_COLUMN_WITH_FREE_COMMAS) == self.width - 1


def map_columns(headers: Sequence[str], found_in: str = "the first line") -> ColumnMap:
    """Match a file's headers, found in this place, to our columns.

    Raises:
        FileRefused: a required column is missing, or two headers mean the same column.
    """
    positions: dict[str, int] = {}
    extra: dict[str, int] = {}
    seen: dict[str, str] = {}
    for position, header in enumerate(headers):
        title = header.strip() or f"column {position + 1}"
        name = _BY_HEADER.get(normalized(title))
        meaning = name or normalized(title)
        if meaning in seen:
            raise FileRefused(
                f"the headers {seen[meaning]!r} and {title!r} name the same column; "
                "remove or rename one of them"
            )
        seen[meaning] = title
        if name is None:
            extra[title] = position
        else:
            positions[name] = position
    missing = [TITLES[name] for name in REQUIRED if name not in positions]
    if missing:
        raise FileRefused(_missing_message(missing, [header.strip() for header in headers], found_in))
    return ColumnMap(len(headers), positions, extra)


def _missing_message(missing: list[str], found: list[str], found_in: str) -> str:
    shown = ", ".join(header[:60] for header in found[:_SHOWN_HEADERS])
    more = f" and {len(found) - _SHOWN_HEADERS} more" if len(found) > _SHOWN_HEADERS else ""
    hint = ""
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(found) == 1 and separator in found[0]:
            hint = f" The columns seem to be separated by {name}; they must be separated by commas."
    noun = "column is" if len(missing) == 1 else "columns are"
    return f"required {noun} missing: {', '.join(missing)}. Found in {found_in}: {shown}{more}.{hint}"
