"""Margins by product, with the share of revenue whose cost is known."""

from dash import html

from api.dashboard.asked import Asked
from api.dashboard.asking import ask
from api.dashboard.parts import Component, card, guarded, nothing, table
from api.dashboard.words import money, percent

TITLE = "Margins"
MOST = 10


@guarded(TITLE)
def margins(asked: Asked) -> Component:
    """The products with the largest margin, and what their figures rest on."""
    total = ask("/api/v1/revenue/total", asked.query)
    found = ask("/api/v1/products/margins", asked.query | {"limit": MOST})
    if total.data["margin"] is None:
        return card(TITLE, nothing("No cost is known for what was sold in this range."), of=found)
    currency = found.meta["currency"]
    rows = [
        [
            row["product"]["name"] or row["product"]["id"] or "Unknown",
            money(row["margin"], currency),
            percent(row["margin_rate"]),
            percent(row["cost_coverage"]),
        ]
        for row in found.data
    ]
    columns = [("Product", False), ("Margin", True), ("Of revenue", True), ("Cost known for", True)]
    told = html.P(
        f"{money(total.data['margin'], currency)} in all, over the {percent(total.data['cost_coverage'])} of "
        "net revenue whose cost is known."
    )
    return card(TITLE, told, table(TITLE, columns, rows), of=found)
