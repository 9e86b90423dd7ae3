"""Customers: who is new and who came again, who brought most, segments, and cohorts."""

from decimal import Decimal

import dash_mantine_components as dmc
from dash import html

from api.dashboard.asked import Asked
from api.dashboard.asking import ask
from api.dashboard.parts import BAR, Component, aria, bar, card, guarded, nothing, table
from api.dashboard.words import count, day, money, percent

MOST = 10
MOST_MEMBERS = 20
_OF_ALL = "Of all sales of the range: filters do not change it."


@guarded("New and returning customers")
def returning(asked: Asked) -> Component:
    """How many customers are new, and how many came again."""
    found = ask("/api/v1/customers/summary", asked.query)
    row = found.data[0]
    title = "New and returning customers"
    if not row["customers"]:
        return card(title, nothing("No customer bought in this range; guests are not counted."), of=found)
    kinds = (("New", row["new_customers"], "blue.8"), ("Returning", row["returning_customers"], "teal.9"))
    drawn = dmc.ProgressRoot(
        [
            dmc.ProgressSection(dmc.ProgressLabel(name), value=100 * number / row["customers"], color=color)
            for name, number, color in kinds
            if number
        ],
        size="xl",
        **aria(hidden="true"),
    )
    figures = [
        *((name, count(number)) for name, number, _ in kinds),
        ("With two orders or more", count(row["repeat_customers"])),
        ("Repeat rate", percent(row["repeat_rate"])),
        ("Orders", count(row["orders"])),
    ]
    return card(title, drawn, table(title, [("Customers", False), ("Number", True)], figures), of=found)


@guarded("Top customers")
def top(asked: Asked) -> Component:
    """The customers who brought most."""
    found = ask("/api/v1/revenue", asked.query | {"group_by": "customer", "limit": MOST})
    if not found.data:
        return card("Top customers", nothing("Nothing was sold in this range."), of=found)
    largest = max(Decimal(row["net_revenue"]) for row in found.data)
    rows = [
        [
            row["customer"]["name"] or row["customer"]["id"] or "Guests",
            bar(row["net_revenue"], largest),
            money(row["net_revenue"], found.meta["currency"]),
            count(row["orders"]),
            percent(row["share_of_total"]),
        ]
        for row in found.data
    ]
    columns = [("Customer", False), BAR, ("Net revenue", True), ("Orders", True), ("Share", True)]
    return card("Top customers", table("Top customers", columns, rows), of=found)


@guarded("Segments")
def segments(asked: Asked, chosen: str | None) -> Component:
    """Customers by how recently, how often and for how much they bought; and the members of one segment."""
    found = ask("/api/v1/customers/segments", asked.dates)
    if not found.data:
        return nothing("No customer bought in this range.")
    currency = found.meta["currency"]
    rows = [
        [
            spoken(row["segment"]),
            count(row["customers"]),
            percent(row["share_of_customers"]),
            money(row["net_revenue"], currency),
        ]
        for row in found.data
    ]
    columns = [("Segment", False), ("Customers", True), ("Share", True), ("Net revenue", True)]
    return html.Div(
        [
            card("Segments", table("Segments", columns, rows), of=found, note=_OF_ALL),
            _members(asked, chosen) if chosen else None,
        ]
    )


def _members(asked: Asked, segment: str) -> Component:
    query = asked.dates | {"members": True, "segment": segment}
    found = ask("/api/v1/customers/segments", query | {"limit": MOST_MEMBERS})
    title = f"Members of {spoken(segment)}"
    rows = [
        [
            row["customer"]["name"] or row["customer"]["id"],
            day(row["last_order_date"]),
            count(row["orders"]),
            money(row["net_revenue"], found.meta["currency"]),
        ]
        for row in found.data
    ]
    columns = [("Customer", False), ("Last order", False), ("Orders", True), ("Net revenue", True)]
    more = f"The first {MOST_MEMBERS}; the file has all of them." if found.page["has_more"] else None
    return card(title, table(title, columns, rows), of=found, note=more)


def spoken(segment: str) -> str:
    """A segment's name as it is spoken."""
    return segment.replace("cant_", "can't_").replace("_", " ").capitalize()
