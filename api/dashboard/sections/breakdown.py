"""Revenue by a group: a table with a bar in each row, so that it is chart and figures in one."""

from collections.abc import Callable
from decimal import Decimal

from api.dashboard.asked import Asked
from api.dashboard.asking import ask
from api.dashboard.parts import BAR, Component, bar, card, changed, guarded, nothing, table
from api.dashboard.words import change, money, percent

MOST = 12


def breakdown(title: str, group: str, word: str) -> Callable[[Asked], Component]:
    """A section that shows revenue by this group of the API."""

    @guarded(title)
    def render(asked: Asked) -> Component:
        found = ask("/api/v1/revenue", asked.compared | {"group_by": group, "limit": MOST})
        if not found.data:
            return card(title, nothing("Nothing was sold in this range."), of=found)
        largest = max(Decimal(row["net_revenue"]) for row in found.data)
        rows = [
            [
                row[group] or "Unknown",
                bar(row["net_revenue"], largest),
                money(row["net_revenue"], found.meta["currency"]),
                percent(row["share_of_total"]),
                changed(change(row.get("comparison"), "net_revenue")),
            ]
            for row in found.data
        ]
        columns = [(word, False), BAR, ("Net revenue", True), ("Share", True), ("Change", True)]
        more = f"The first {MOST}; the file has all of them." if found.page["has_more"] else None
        return card(title, table(title, columns, rows), of=found, note=more)

    return render
