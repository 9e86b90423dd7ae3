"""The measures: their names, what they mean, and how a row of them is made from exact sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from psycopg import sql

from pipeline.answers import numbers

Kind = Literal["money", "count", "ratio", "average"]


@dataclass(frozen=True)
class Measure:
    """One measure. Not additive: its values over groups or buckets must not be summed."""

    name: str
    kind: Kind
    is_additive: bool
    is_nullable: bool
    words: str
    formula: str


MEASURES = (
    Measure("gross_revenue", "money", True, False, "What was sold, at list price, without its tax.",
            "Σ quantity × unit_price, over sale lines (quantity > 0)"),
    Measure("discounts", "money", True, False, "What was taken off the price of sales.",
            "Σ quantity × unit_price × discount (or the discount as an amount), over sale lines"),
    Measure("returns", "money", True, False, "What came back, on the return's own date.",
            "Σ |quantity| × unit_price × (1 − discount), over return lines (quantity < 0);"
            " and what refunds gave back"),
    Measure("net_revenue", "money", True, False, "What \"revenue\" means when nothing else is said.",
            "gross_revenue − discounts − returns"),
    Measure("shipping", "money", True, False, "Shipping charged.", "Σ shipping cost charged"),
    Measure("total_revenue", "money", True, False, "Revenue with shipping.", "net_revenue + shipping"),
    Measure("tax", "money", True, False, "Tax on sales, less tax given back with returns; in no revenue.",
            "Σ tax of the lines, negative on return lines, 0 where none is stated"),
    Measure("cost", "money", True, True, "Cost of the lines whose cost is known; null when none is.",
            "Σ quantity × unit_cost (signed, returns included)"),
    Measure("margin", "money", True, True, "Profit on the lines whose cost is known; null when none is.",
            "net_revenue − cost, over the lines whose cost is known"),
    Measure("cost_coverage", "ratio", False, True, "The share of net revenue whose cost is known.",
            "net_revenue of the lines whose cost is known ÷ net_revenue"),
    Measure("orders", "count", False, False,
            "Orders with a sale in the group, dated by their first sale line.",
            "distinct (source, order_id) with at least one sale line"),
    Measure("return_orders", "count", False, False, "Documents with return lines only.",
            "distinct (source, order_id) without a sale line"),
    Measure("customers", "count", False, False, "Customers who bought; guests are not counted.",
            "distinct customer_id of those orders' sale lines"),
    Measure("units", "count", True, False, "Units sold.", "Σ quantity, over sale lines"),
    Measure("units_returned", "count", True, False, "Units that came back.",
            "Σ |quantity|, over return lines"),
    Measure("net_units", "count", True, False, "Units that stayed sold.", "units − units_returned"),
    Measure("average_order_value", "average", False, True, "Net revenue per order; null without orders.",
            "net_revenue ÷ orders"),
    Measure("share_of_total", "ratio", False, True,
            "The row's share of the net revenue of the whole answer (all pages).",
            "net_revenue ÷ Σ net_revenue under the same range and filters"),
)  # fmt: skip

NOT_ADDITIVE = tuple(measure.name for measure in MEASURES if not measure.is_additive)

# The additive columns that every rollup keeps, and the distinct counts, which are kept apart.
SUMS = (
    "gross_revenue", "discounts", "returns", "net_revenue", "shipping", "tax", "cost",
    "costed_net_revenue", "costed_line_count", "units", "units_returned",
)  # fmt: skip
COUNTS = ("orders", "return_orders", "customers")

# Measures that are sorted by something else than their own column.
_SORT_EXPRESSIONS: dict[str, sql.Composable] = {
    "total_revenue": sql.SQL("net_revenue + shipping"),
    "cost": sql.SQL("case when costed_line_count > 0 then cost end"),
    "margin": sql.SQL("case when costed_line_count > 0 then costed_net_revenue - cost end"),
    "cost_coverage": sql.SQL("costed_net_revenue / nullif(net_revenue, 0)"),
    "net_units": sql.SQL("units - units_returned"),
    "average_order_value": sql.SQL("net_revenue / nullif(orders, 0)"),
}
# The sums that they are made of.
_SORT_SUMS: dict[str, tuple[str, ...]] = {
    "total_revenue": ("net_revenue", "shipping"),
    "cost": ("cost", "costed_line_count"),
    "margin": ("cost", "costed_net_revenue", "costed_line_count"),
    "cost_coverage": ("net_revenue", "costed_net_revenue"),
    "net_units": ("units", "units_returned"),
}
_SORTS_BY_COUNT = frozenset((*COUNTS, "average_order_value"))
SORTABLE = tuple(measure.name for measure in MEASURES if measure.name != "share_of_total")


def sort_expression(name: str) -> sql.Composable:
    """The SQL by which rows are put in order of a measure."""
    return _SORT_EXPRESSIONS.get(name, sql.Identifier(name))


def sort_sums(name: str) -> tuple[str, ...]:
    """The columns of ``SUMS`` that the order of this measure needs; none for a group or a bucket."""
    return _SORT_SUMS.get(name, (name,) if name in SUMS else ())


def needs_counts(name: str) -> bool:
    """Whether sorting by this needs the distinct counts of every group."""
    return name in _SORTS_BY_COUNT


def measure_values(
    found: Mapping[str, Decimal | int], total_net_revenue: Decimal, digits: int
) -> dict[str, str | int | None]:
    """Every measure of one row, in the documented order, as it is written in JSON.

    ``found`` has the columns of ``SUMS`` and ``COUNTS``; ``digits`` are the currency's minor digits.
    """
    value = {name: Decimal(found[name]) for name in SUMS}
    net = value["net_revenue"]
    exact = exact_quotients(found, total_net_revenue)
    has_cost = value["costed_line_count"] > 0
    return {
        "gross_revenue": numbers.money(value["gross_revenue"], digits),
        "discounts": numbers.money(value["discounts"], digits),
        "returns": numbers.money(value["returns"], digits),
        "net_revenue": numbers.money(net, digits),
        "shipping": numbers.money(value["shipping"], digits),
        "total_revenue": numbers.money(net + value["shipping"], digits),
        "tax": numbers.money(value["tax"], digits),
        "cost": numbers.money(value["cost"], digits) if has_cost else None,
        "margin": numbers.money(value["costed_net_revenue"] - value["cost"], digits) if has_cost else None,
        "cost_coverage": numbers.six_digits(exact["cost_coverage"]),
        "orders": int(found["orders"]),
        "return_orders": int(found["return_orders"]),
        "customers": int(found["customers"]),
        "units": int(value["units"]),
        "units_returned": int(value["units_returned"]),
        "net_units": int(value["units"] - value["units_returned"]),
        "average_order_value": numbers.six_digits(exact["average_order_value"]),
        "share_of_total": numbers.six_digits(exact["share_of_total"]),
    }


def exact_quotients(
    found: Mapping[str, Decimal | int], total_net_revenue: Decimal
) -> dict[str, Fraction | None]:
    """The measures that are quotients, before they are rounded; None where they are undefined."""
    net = Decimal(found["net_revenue"])
    return {
        "cost_coverage": numbers.quotient(Decimal(found["costed_net_revenue"]), net),
        "average_order_value": numbers.quotient(net, int(found["orders"])),
        "share_of_total": numbers.quotient(net, total_net_revenue),
    }
