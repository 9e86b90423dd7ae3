"""The products that brought most, with a search."""

from decimal import Decimal

from api.dashboard.asked import Asked
from api.dashboard.asking import ask
from api.dashboard.parts import BAR, Component, bar, card, changed, guarded, nothing, table
from api.dashboard.words import change, count, money, percent

TITLE = "Top products"
MOST = 10
# Of those whose name fits the search, the ones that are looked at, by id.
MOST_FOUND = 500


@guarded(TITLE)
def products(asked: Asked, search: str | None) -> Component:
    """The first products by net revenue, of those that the search finds."""
    query, note = asked.compared, None
    words = (search or "").strip()
    if words:
        found = ask("/api/v1/products", {"search": words, "limit": MOST_FOUND})
        chosen = query.get("product_id")
        ids = [row["product_id"] for row in found.data if not chosen or row["product_id"] in chosen]
        if not ids:
            return nothing(f"No product's id or name has “{words}” in it.")
        query |= {"product_id": ids}
        if found.page["has_more"]:
            note = f"Of the first {MOST_FOUND} products that the search finds: narrow it to be sure."
    top = ask("/api/v1/revenue/by-product", query | {"limit": MOST})
    if not top.data:
        return nothing("Nothing was sold in this range.")
    currency = top.meta["currency"]
    largest = max(Decimal(row["net_revenue"]) for row in top.data)
    columns = [
        *[("Product", False), BAR, ("Net revenue", True), ("Units", True), ("Share", True)],
        ("Change", True),
    ]
    rows = [
        [
            row["product"]["name"] or row["product"]["id"] or "Unknown",
            bar(row["net_revenue"], largest),
            money(row["net_revenue"], currency),
            count(row["net_units"]),
            percent(row["share_of_total"]),
            changed(change(row.get("comparison"), "net_revenue")),
        ]
        for row in top.data
    ]
    return card(TITLE, table(TITLE, columns, rows), of=top, note=note)
