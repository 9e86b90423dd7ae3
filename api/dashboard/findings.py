"""The findings page: the story of a period, to be read, printed, or kept as one file."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html

from api.dashboard.asking import address_of, ask
from api.dashboard.parts import Component, aria, card, guarded, nothing, table
from api.dashboard.words import day

_ROUTE = "/api/v1/findings"


def layout() -> Component:
    """A way to the report of any dates, and to those that are kept."""
    return html.Div(
        [
            html.H1("Findings"),
            html.Section(
                [
                    html.H2("The story of a period"),
                    html.P(
                        "What was sold, where and of what, what rose and fell, unusual days, customers: one "
                        "page that prints, and that can be saved and sent as it is."
                    ),
                    html.Form(
                        [
                            dmc.DateInput(id="findings-start", label="From", valueFormat="YYYY-MM-DD"),
                            dmc.DateInput(id="findings-end", label="To", valueFormat="YYYY-MM-DD"),
                        ],
                        className="controls",
                        **aria(label="Dates of the report"),
                    ),
                    html.Div(id="findings-link"),
                ],
                className="card wide",
            ),
            _kept(),
        ]
    )


def register(dash: Dash) -> None:
    """Lead to the report of the dates that are chosen."""

    @dash.callback(
        Output("findings-link", "children"),
        Input("findings-start", "value"),
        Input("findings-end", "value"),
    )
    def link(start: str | None, end: str | None) -> Any:
        address = address_of(_ROUTE, {"start_date": start, "end_date": end})
        if start is None and end is None:
            return html.A("Read the findings of the last whole month", href=address)
        words = [f"from {day(start)}" if start else "", f"to {day(end)}" if end else ""]
        return html.A(f"Read the findings {' '.join(filter(None, words))}", href=address)


@guarded("Kept reports")
def _kept() -> Component:
    found = ask(f"{_ROUTE}/builds").data
    if not found:
        return card("Kept reports", nothing("None yet: each build keeps its own."), wide=True)
    rows = [
        [
            html.A(f"Build {row['build_id']}", href=row["link"]),
            f"{day(row['made_at'][:10])}, {row['made_at'][11:16]} UTC",
        ]
        for row in found
    ]
    return card("Kept reports", table("Kept reports", [("Report", False), ("Made", False)], rows), wide=True)
