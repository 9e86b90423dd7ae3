"""Revenue over time, beside the range that it is compared with; unusual days are marked."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from api.dashboard.asked import Asked
from api.dashboard.asking import Answered, Refused, ask
from api.dashboard.parts import Component, card, changed, chart, guarded, nothing, table
from api.dashboard.words import bucket, change, day, height, money

TITLE = "Revenue over time"
MOST_BUCKETS = 500


@guarded(TITLE)
def trend(asked: Asked) -> Component:
    """The line of net revenue."""
    found = ask("/api/v1/revenue/trend", asked.compared | {"grain": asked.grain, "limit": MOST_BUCKETS})
    if not found.data:
        return card(TITLE, nothing("Nothing was sold in this range."), of=found, wide=True)
    currency = found.meta["currency"]
    unusual = _unusual(asked)
    points = [_point(row, asked.grain) for row in found.data]
    series = [{"name": "now", "label": "Net revenue", "color": "blue.7"}]
    if asked.compare:
        series.append({"name": "before", "label": "Compared", "color": "gray.6", "strokeDasharray": "5 5"})
    drawn = dmc.LineChart(
        data=points,
        dataKey="name",
        series=series,
        h=300,
        curveType="linear",
        withDots=len(points) < 40,
        withLegend=bool(asked.compare),
        gridAxis="x",
        lineChartProps={"accessibilityLayer": False},
        lineProps={"isAnimationActive": False},
        referenceLines=[
            {"x": day(row["sale_date"]), "color": "red.8", "label": "!"}
            for row in unusual
            if asked.grain == "day"
        ],
    )
    return card(
        TITLE,
        chart(f"Net revenue by {asked.grain}", drawn),
        _told(unusual, currency),
        of=found,
        data=_table(found.data, asked, currency),
        note=_note(found),
        wide=True,
    )


def _note(found: Answered) -> str | None:
    """Which dates the dashed line is of, and whether the range went on."""
    words = []
    if "comparison" in found.meta:
        other = found.meta["comparison"]["range"]
        words.append(f"Compared with {day(other['start_date'])} to {day(other['end_date'])}.")
    if found.page["has_more"]:
        words.append(f"The first {MOST_BUCKETS} only: choose longer steps to see all of the range.")
    return " ".join(words) or None


def _point(row: dict[str, Any], grain: str) -> dict[str, Any]:
    before = row.get("comparison", {}).get("net_revenue", {}).get("previous")
    return {
        "name": bucket(row["bucket"]["start_date"], grain),
        "now": height(row["net_revenue"]),
        "before": height(before),
    }


def _unusual(asked: Asked) -> list[dict[str, Any]]:
    """The days that stand out; they are told of all sales, so that a filtered chart shows none."""
    if asked.filters:
        return []
    try:
        found: list[dict[str, Any]] = ask("/api/v1/revenue/anomalies", asked.dates | {"limit": 500}).data
    except Refused as refusal:
        # Who is limited to regions may not know of the others' days.
        if refusal.code == "not_regional":
            return []
        raise
    return found


def _told(unusual: list[dict[str, Any]], currency: str) -> Component:
    if not unusual:
        return None
    return html.Details(
        [
            html.Summary(f"{len(unusual)} unusual day{'s' if len(unusual) > 1 else ''}"),
            html.Ul(
                [
                    html.Li(
                        f"{day(row['sale_date'])}: {money(row['net_revenue'], currency)}, where "
                        f"{money(row['expected'], currency)} was to be expected"
                    )
                    for row in unusual
                ]
            ),
        ]
    )


def _table(rows: list[dict[str, Any]], asked: Asked, currency: str) -> Component:
    columns = [(asked.grain.title(), False), ("Net revenue", True)]
    if asked.compare:
        columns += [("Compared", True), ("Change", True)]
    return table(
        f"Net revenue by {asked.grain}",
        columns,
        [_row(row, asked, currency) for row in rows],
    )


def _row(row: dict[str, Any], asked: Asked, currency: str) -> list[Component]:
    cells = [bucket(row["bucket"]["start_date"], asked.grain), money(row["net_revenue"], currency)]
    if asked.compare:
        comparison = row["comparison"]
        cells += [
            money(comparison["net_revenue"]["previous"], currency),
            changed(change(comparison, "net_revenue")),
        ]
    return cells
