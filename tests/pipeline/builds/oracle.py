"""What the published tables must hold, computed from the deliveries in plain Python.

Written from the rules (docs/design.md), not from the models: no SQL, no signed changes, every
figure from scratch.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.api.published import Line

Key = tuple[str, str, str, int]
ZERO = Decimal(0)


@dataclass(frozen=True)
class Row:
    """One line of a file; a broken one has a quantity that is no number."""

    order_id: str
    product_id: str
    name: str
    category: str
    customer_id: str
    address: str
    region: str
    day: date
    quantity: int
    price: Decimal
    discount: Decimal
    shipping: Decimal
    cost: Decimal | None
    payment: str
    is_broken: bool = False

    def text(self) -> str:
        """The row as a line of CSV, in the order of HEADER."""
        return ",".join(
            [
                self.order_id,
                self.product_id,
                self.customer_id,
                self.name,
                self.category,
                self.region,
                self.day.isoformat(),
                "many" if self.is_broken else str(self.quantity),
                str(self.price),
                str(self.discount),
                str(self.shipping),
                self.payment,
                self.address,
                "" if self.cost is None else str(self.cost),
            ]
        )


HEADER = (
    "Order ID,Product ID,Customer ID,Product Name,Category,Region,Date of Sale,Quantity Sold,"
    "Unit Price,Discount,Shipping Cost,Payment Method,Customer Address,Unit Cost"
)


def csv_text(rows: Iterable[Row]) -> str:
    """A file of these rows."""
    return "\n".join([HEADER, *(row.text() for row in rows)]) + "\n"


@dataclass(frozen=True)
class Live:
    """A live line, with where its values came from."""

    row: Row
    batch: int
    line: int

    @property
    def order(self) -> tuple[date, int, int]:
        """What makes one line later than another."""
        return (self.row.day, self.batch, self.line)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """The line's share of each measure of money."""
        row = self.row
        value = row.quantity * row.price
        is_sale = row.quantity > 0
        gross = value if is_sale else ZERO
        discounts = value * row.discount if is_sale else ZERO
        returns = ZERO if is_sale else -value * (1 - row.discount)
        return {
            "gross_revenue": gross,
            "discounts": discounts,
            "returns": returns,
            "net_revenue": gross - discounts - returns,
            "shipping": row.shipping,
            "cost": ZERO if row.cost is None else row.quantity * row.cost,
        }


@dataclass
class Oracle:
    """The live lines after a sequence of deliveries, and the latest records of products and customers.

    ``products`` are the name and the category by product, ``customers`` the address by customer.
    """

    lines: dict[Key, Live] = field(default_factory=dict)
    products: dict[str, tuple[str, str]] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)

    def deliver(
        self, source: str, mode: str, files: list[tuple[int, list[Row]]], *, delivery: str = "partial"
    ) -> None:
        """Take in one call: its files as (batch id, rows)."""
        accepted: dict[Key, list[Live]] = defaultdict(list)
        kept: set[Key] = set()
        for batch, rows in files:
            occurrences: dict[tuple[str, str], int] = defaultdict(int)
            for index, row in enumerate(rows):
                occurrences[row.order_id, row.product_id] += 1
                key = (source, row.order_id, row.product_id, occurrences[row.order_id, row.product_id])
                if row.is_broken:
                    kept.add(key)
                elif key not in accepted or accepted[key][-1].row != row:
                    # A later file that repeats a line leaves its provenance as it was.
                    accepted[key].append(Live(row, batch, index + 2))
        if mode == "overwrite":
            gone = [k for k in self.lines if k[0] == source and k not in accepted and k not in kept]
            for key in gone:
                del self.lines[key]
        for key, versions in accepted.items():
            # A full delivery is compared as a whole: what only an earlier file of it says was never there.
            for live in versions[-1:] if delivery == "full" else versions:
                before = self.lines.get(key)
                if before is None or before.row != live.row:
                    self.lines[key] = live

    def fact(self) -> list[tuple[Any, ...]]:
        """core.fct_order_lines, without keys of versions."""
        return sorted(
            (
                *key,
                live.row.customer_id or None,
                live.row.region or "Unspecified",
                live.row.payment or "Unspecified",
                live.row.day,
                live.row.quantity,
                live.row.price,
                live.amounts["net_revenue"],
                live.batch,
                live.line,
            )
            for key, live in self.lines.items()
        )

    def rollup(self, *names: str) -> dict[tuple[Any, ...], tuple[Decimal, ...]]:
        """A rollup by these attributes: money, line count and units by key."""
        groups: dict[tuple[Any, ...], list[Live]] = defaultdict(list)
        for key, live in self.lines.items():
            attributes = {
                "source": key[0],
                "product_id": live.row.product_id,
                "category": self._category(live.row),
                "region": live.row.region or "Unspecified",
                "payment_method": live.row.payment or "Unspecified",
                "customer_id": live.row.customer_id,
                "sale_date": live.row.day,
                "month_start": live.row.day.replace(day=1),
            }
            groups[tuple(attributes[name] for name in names)].append(live)
        return {key: _sums(lives) for key, lives in groups.items()}

    def orders(self) -> dict[tuple[str, str], tuple[date, bool, str | None, Decimal]]:
        """core.fct_orders: date, whether it is a sale, customer, net revenue."""
        groups: dict[tuple[str, str], list[Live]] = defaultdict(list)
        for key, live in self.lines.items():
            groups[key[:2]].append(live)
        answer = {}
        for order, lives in groups.items():
            sales = [live for live in lives if live.row.quantity > 0]
            dated = sales or lives
            customers = [live.row.customer_id for live in dated if live.row.customer_id]
            answer[order] = (
                min(live.row.day for live in dated),
                bool(sales),
                min(customers, default=None),
                sum((live.amounts["net_revenue"] for live in lives), ZERO),
            )
        return answer

    def as_lines(self) -> list[Line]:
        """The live lines as the tests of the API have them, for the tables computed there."""
        return [
            Line(
                order_id=key[1],
                product_id=key[2],
                sale_date=live.row.day,
                quantity=live.row.quantity,
                unit_price=live.row.price,
                discount=live.row.discount,
                category=self._category(live.row),
                customer_id=live.row.customer_id or None,
                region=live.row.region or "Unspecified",
                payment_method=live.row.payment or "Unspecified",
                source=key[0],
                occurrence=key[3],
            )
            for key, live in self.lines.items()
        ]

    def product_names(self) -> dict[str, str]:
        """The current name of each product."""
        latest: dict[str, Live] = {}
        for live in self.lines.values():
            if live.row.name:
                best = latest.get(live.row.product_id)
                if best is None or live.order > best.order:
                    latest[live.row.product_id] = live
        return {
            live.row.product_id: latest[live.row.product_id].row.name
            if live.row.product_id in latest
            else self._record(live.row.product_id)[0] or live.row.product_id
            for live in self.lines.values()
        }

    def addresses(self) -> dict[str, str | None]:
        """The latest address of each customer that was not blank."""
        latest: dict[str, Live] = {}
        for live in self.lines.values():
            if live.row.customer_id and live.row.address:
                best = latest.get(live.row.customer_id)
                if best is None or live.order > best.order:
                    latest[live.row.customer_id] = live
        return {
            live.row.customer_id: latest[live.row.customer_id].row.address
            if live.row.customer_id in latest
            else self.customers.get(live.row.customer_id) or None
            for live in self.lines.values()
            if live.row.customer_id
        }

    def _category(self, row: Row) -> str:
        return row.category or self._record(row.product_id)[1] or "Unspecified"

    def _record(self, product_id: str) -> tuple[str, str]:
        return self.products.get(product_id, ("", ""))


def _sums(lives: list[Live]) -> tuple[Decimal, ...]:
    names = ("gross_revenue", "discounts", "returns", "net_revenue", "shipping", "cost")
    costed = [live for live in lives if live.row.cost is not None]
    return (
        *(sum((live.amounts[name] for live in lives), ZERO) for name in names),
        sum((live.amounts["net_revenue"] for live in costed), ZERO),
        Decimal(len(lives)),
        Decimal(sum(live.row.quantity for live in lives if live.row.quantity > 0)),
        Decimal(-sum(live.row.quantity for live in lives if live.row.quantity < 0)),
    )
