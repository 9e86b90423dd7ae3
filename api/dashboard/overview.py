"""The overview: what was sold, when, where, to whom, and what was earned with it."""

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html

from api.dashboard import controls
from api.dashboard.asked import Asked
from api.dashboard.asking import Refused
from api.dashboard.parts import Component, refused
from api.dashboard.sections.breakdown import breakdown
from api.dashboard.sections.cohorts import cohorts
from api.dashboard.sections.customers import returning, segments, spoken, top
from api.dashboard.sections.explained import window
from api.dashboard.sections.headline import headline
from api.dashboard.sections.margins import margins
from api.dashboard.sections.products import products
from api.dashboard.sections.trend import trend
from pipeline.answers.segments import SEGMENTS

SECTIONS: dict[str, Callable[[Asked], Component]] = {
    "headline": headline,
    "trend": trend,
    "categories": breakdown("By category", "category", "Category"),
    "regions": breakdown("By region", "region", "Region"),
    "payments": breakdown("By payment method", "payment_method", "Payment method"),
    "top-customers": top,
    "returning": returning,
    "margins": margins,
    "cohorts": cohorts,
}
# Sections that have a choice of their own, by the id of the choice.
WITH_CHOICE: dict[str, tuple[str, Callable[[Asked, str | None], Component]]] = {
    "products": ("product-search", products),
    "segments": ("segment", segments),
}


def layout() -> Component:
    """The choices and an empty place for each section; without numbers, what to do first."""
    try:
        chosen = controls.controls()
    except Refused as refusal:
        return html.Div([html.H1("Overview"), _welcome() if refusal.code == "no_build" else refused(refusal)])
    return html.Div(
        [
            html.H1("Overview"),
            chosen,
            html.Div(
                [
                    _place("headline", wide=True),
                    _place("trend", wide=True),
                    _place("categories"),
                    _place("regions"),
                    _place("products", _search()),
                    _place("payments"),
                    _place("returning"),
                    _place("top-customers"),
                    _place("segments", _segment()),
                    _place("margins"),
                    _place("cohorts", wide=True),
                ],
                className="cards",
            ),
            window(),
        ]
    )


def register(dash: Dash) -> None:
    """Fill every section when what is asked for changes."""
    controls.register(dash)
    for name, render in SECTIONS.items():
        dash.callback(Output(name, "children"), Input(controls.ASKED, "data"), prevent_initial_call=True)(
            _filled(render)
        )
    for name, (choice, render_chosen) in WITH_CHOICE.items():
        dash.callback(
            Output(name, "children"),
            Input(controls.ASKED, "data"),
            Input(choice, "value"),
            prevent_initial_call=True,
        )(_filled(render_chosen))


def _filled(render: Callable[..., Component]) -> Callable[..., Component]:
    def fill(asked: dict[str, Any] | None, *choice: str | None) -> Component:
        return render(Asked(**asked), *choice) if asked else None

    return fill


def _place(name: str, choice: Component = None, *, wide: bool = False) -> Component:
    return html.Div([choice, html.Div(id=name)], className="place wide" if wide else "place")


def _search() -> Component:
    return dmc.TextInput(id="product-search", label="Find products", placeholder="Name or id", debounce=300)


def _segment() -> Component:
    return dmc.Select(
        id="segment",
        label="Show the members of",
        data=[{"value": name, "label": spoken(name)} for name in SEGMENTS],
        clearable=True,
        clearButtonProps={"aria-label": "Clear the segment"},
    )


def _welcome() -> Component:
    return html.Section(
        [
            html.H2("There are no numbers yet"),
            html.P("Give Tillhouse a file of your sales; the figures are here as soon as it is loaded:"),
            html.Ul(
                [
                    html.Li([html.A("Upload it on the data page", href="/data"), "."]),
                    html.Li("Or drop it into the inbox folder that `tillhouse status` names."),
                    html.Li(["Or load it in a terminal: ", html.Code("tillhouse load sales.csv")]),
                    html.Li(["Or try it with made-up sales: ", html.Code("tillhouse sample -o sales.csv")]),
                ]
            ),
        ],
        className="card wide",
    )
