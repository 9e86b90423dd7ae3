"""The head of the overview: the figures of the range, how they changed, and a small trend of each."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from api.dashboard.asked import Asked
from api.dashboard.asking import ask
from api.dashboard.parts import Component, aria, card, changed, guarded, table
from api.dashboard.words import bucket, change, count, day, height, money

MOST_BUCKETS = 500
_CUT = f" The small trends and the table show the first {MOST_BUCKETS} steps: choose longer ones to see all."
# Measure, what it is called, whether it is an amount.
FIGURES = (
    ("net_revenue", "Net revenue", True),
    ("orders", "Orders", False),
    ("average_order_value", "Average order value", True),
    ("customers", "Customers", False),
    ("returns", "Returns", True),
    ("margin", "Margin", True),
)


@guarded("At a glance")
def headline(asked: Asked) -> Component:
    """The six figures."""
    total = ask("/api/v1/revenue/total", asked.compared)
    trend = ask("/api/v1/revenue/trend", asked.query | {"grain": asked.grain, "limit": MOST_BUCKETS})
    currency = total.meta["currency"]
    tiles = [
        html.Div(
            [
                html.Dt(name),
                html.Dd(_written(total.data[measure], is_money, currency), className="value"),
                html.Dd(changed(change(total.data.get("comparison"), measure)), className="change"),
                html.Dd(_small_trend(trend.data, measure)),
            ],
            className="tile",
        )
        for measure, name, is_money in FIGURES
    ]
    return card(
        "At a glance",
        html.Dl(tiles, className="tiles"),
        of=total,
        data=_table(trend.data, asked.grain, currency),
        note=_note(total.meta) + (_CUT if trend.page["has_more"] else ""),
        wide=True,
    )


def _small_trend(rows: list[dict[str, Any]], measure: str) -> Component:
    points = [height(row[measure]) for row in rows]
    known = [point for point in points if point is not None]
    if len(known) < 2:
        return None
    return html.Div(
        dmc.Sparkline(data=known, h=32, strokeWidth=1.5, fillOpacity=0.15, curveType="linear"),
        **aria(hidden="true"),
    )


def _table(rows: list[dict[str, Any]], grain: str, currency: str) -> Component:
    return table(
        f"The figures by {grain}",
        [(grain.title(), False), *((name, True) for _, name, _ in FIGURES)],
        [
            [
                bucket(row["bucket"]["start_date"], grain),
                *(_written(row[measure], is_money, currency) for measure, _, is_money in FIGURES),
            ]
            for row in rows
        ],
    )


def _written(value: Any, is_money: bool, currency: str) -> str:
    return money(value, currency) if is_money else count(value)


def _note(meta: Any) -> str:
    span = meta["range"]
    if span["start_date"] is None:
        return "Nothing was sold yet."
    text = f"{day(span['start_date'])} to {day(span['end_date'])}, in {meta['currency']}"
    other = meta.get("comparison")
    if other is None:
        return f"{text}."
    return (
        f"{text}; changes against {day(other['range']['start_date'])} to {day(other['range']['end_date'])}."
    )
