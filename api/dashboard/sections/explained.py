"""Where a section's numbers come from: definitions, build, tables and SQL, and the lines behind them."""

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, ctx, html, no_update

from api.dashboard.asking import Answered, Refused, ask_address
from api.dashboard.parts import Component, refused
from api.dashboard.words import day

ID = "explained"


def window() -> Component:
    """The window that opens over the page."""
    return dmc.Modal(id=ID, title="", opened=False, size="lg", closeButtonProps={"aria-label": "Close"})


def register(dash: Dash) -> None:
    """Open the window with the origin of the section whose button was pressed."""

    @dash.callback(
        Output(ID, "opened"),
        Output(ID, "title"),
        Output(ID, "children"),
        Input({"part": "origin", "title": ALL, "address": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def explain(clicks: list[int | None]) -> Any:
        button = ctx.triggered_id
        # Sections that are drawn anew bring new buttons, which nobody has pressed.
        if not button or not ctx.triggered[0]["value"]:
            return no_update, no_update, no_update
        return True, f"{button['title']}: where from?", origin(button["address"])


def origin(address: str) -> Component:
    """What the API says of an answer when it is asked to explain it."""
    separator = "&" if "?" in address else "?"
    try:
        found = ask_address(f"{address}{separator}explain=true")
    except Refused as refusal:
        return refused(refusal)
    return html.Div([_build(found), _definitions(found), _lines(found), _sql(found)], className="origins")


def _build(found: Answered) -> Component:
    span = found.meta["range"]
    dates = f"{day(span['start_date'])} to {day(span['end_date'])}" if span["start_date"] else "none"
    rows = {
        "Build": f"{found.meta['build_id']}, published {found.meta['built_at'][:16].replace('T', ' ')} UTC",
        "Dates": f"{dates}, both inclusive, time zone {found.meta['time_zone']}",
        "Latest sale": day(found.meta["data_as_of"]) if found.meta["data_as_of"] else "none",
        "Tables": ", ".join(found.meta["explain"]["tables"]),
    }
    return html.Dl([part for name, text in rows.items() for part in (html.Dt(name), html.Dd(text))])


def _definitions(found: Answered) -> Component:
    measures = found.meta["explain"]["measures"]
    if not measures:
        return html.P(
            ["Every figure is defined at ", html.A("the API's definitions", href="/api/v1/definitions"), "."]
        )
    items = [
        part
        for measure in measures
        for part in (html.Dt(html.Code(measure["name"])), html.Dd(f"{measure['words']} {measure['formula']}"))
    ]
    return html.Details([html.Summary("Definitions"), html.Dl(items)], open=True)


def _lines(found: Answered) -> Component:
    lines = found.meta["explain"]["lines"]
    if lines is None:
        return None
    separator = "&" if "?" in lines else "?"
    return html.P(
        [
            "The order lines behind it: ",
            html.A("as CSV", href=f"{lines}{separator}format=csv"),
            " or ",
            html.A("as JSON", href=lines),
            ".",
        ]
    )


def _sql(found: Answered) -> Component:
    statements = [html.Pre(html.Code(text)) for text in found.meta["explain"]["statements"]]
    return html.Details([html.Summary("The SQL that answered"), *statements])
