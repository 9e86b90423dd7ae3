"""The choices of the overview: range, comparison, grain and filters. They stand in the page's address."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, ctx, dcc, html, no_update

from api.dashboard.asked import asked_by
from api.dashboard.asking import Refused, ask
from api.dashboard.parts import Component, aria, refused
from api.dashboard.view import COMPARISONS, CUSTOM, FILTERS, RANGES, View, read_view
from pipeline.answers.dates import GRAINS

ASKED = "asked"
ADDRESS = "overview-address"
_BY_LENGTH = "auto"
MOST_VALUES = 500
MOST_PRODUCTS = 20
MOST_NAMED = 10


def controls() -> Component:
    """The choices, with the values that the data have.

    Raises:
        Refused: nothing is published yet, or the service cannot answer.
    """
    return html.Form(
        [
            dcc.Location(id=ADDRESS, refresh=False),
            dcc.Store(id=ASKED),
            dmc.Select(
                id="range", label="Range", data=_named(RANGES), allowDeselect=False, checkIconPosition="right"
            ),
            dmc.DateInput(id="start", label="From", valueFormat="YYYY-MM-DD", clearable=False),
            dmc.DateInput(id="end", label="To", valueFormat="YYYY-MM-DD", clearable=False),
            dmc.Select(id="comparison", label="Compare with", data=_named(COMPARISONS), allowDeselect=False),
            dmc.Select(
                id="grain",
                label="By",
                data=[
                    {"value": _BY_LENGTH, "label": "What fits"},
                    *({"value": grain, "label": grain.title()} for grain in GRAINS),
                ],
                allowDeselect=False,
            ),
            *(_choice(name, label) for name, label in FILTERS.items()),
            html.Div(id="unusable", role="status"),
        ],
        className="controls",
        **aria(label="What is shown"),
    )


def register(dash: Dash) -> None:
    """Keep the choices, the address and what is asked for the same."""

    @dash.callback(
        Output(ASKED, "data"),
        Output(ADDRESS, "search"),
        Output("range", "value"),
        Output("start", "value"),
        Output("end", "value"),
        Output("comparison", "value"),
        Output("grain", "value"),
        Output({"filter": ALL}, "value"),
        Output("unusable", "children"),
        Input(ADDRESS, "search"),
        Input("range", "value"),
        Input("start", "value"),
        Input("end", "value"),
        Input("comparison", "value"),
        Input("grain", "value"),
        Input({"filter": ALL}, "value"),
    )
    def follow(
        search: str,
        range: str | None,
        start: str | None,
        end: str | None,
        comparison: str | None,
        grain: str | None,
        filters: list[list[str] | None],
    ) -> Any:
        told = None
        view, unusable = read_view(search or "")
        if ctx.triggered_id and ctx.triggered_id != ADDRESS:
            view = _chosen(view, range, start, end, comparison, grain, filters)
        elif unusable:
            told = f"Left out of the address, for it cannot be used: {', '.join(sorted(set(unusable)))}."
        try:
            asked = asked_by(view)
        except Refused as refusal:
            return (no_update,) * 7 + ([no_update] * len(FILTERS), refused(refusal))
        shown = view.search()
        return (
            asked.stored(),
            no_update if shown == (search or "") else shown,
            view.range,
            asked.start_date,
            asked.end_date,
            view.comparison,
            view.grain or _BY_LENGTH,
            [list(view.filters.get(name, [])) for name in FILTERS],
            told,
        )

    @dash.callback(Output("trouble", "children"), Input(ASKED, "data"), prevent_initial_call=True)
    def forget_trouble(asked: object) -> None:
        """What went wrong with the last choice says nothing of this one."""

    @dash.callback(
        Output({"filter": "product_id"}, "data"),
        Input({"filter": "product_id"}, "searchValue"),
        Input({"filter": "product_id"}, "value"),
    )
    def find_products(search: str | None, chosen: list[str] | None) -> Any:
        try:
            return _products((search or "").strip(), chosen or [])
        except Refused:
            # The sections say it.
            return []


def _chosen(
    view: View,
    range: str | None,
    start: str | None,
    end: str | None,
    comparison: str | None,
    grain: str | None,
    filters: list[list[str] | None],
) -> View:
    """The view that the controls say; the address may not have followed the last choice yet."""
    if ctx.triggered_id in ("start", "end") or range == CUSTOM:
        view = replace(view, range=CUSTOM, start=_date(start), end=_date(end))
    elif range:
        view = replace(view, range=range, start=None, end=None)
    return replace(
        view,
        comparison=comparison or view.comparison,
        grain=None if grain == _BY_LENGTH else grain,
        filters={name: values for name, values in zip(FILTERS, filters, strict=True) if values},
    )


def _choice(name: str, label: str) -> Component:
    return dmc.MultiSelect(
        id={"filter": name},
        label=label,
        data=[] if name == "product_id" else _values(name),
        # Without a value it gives itself one, which would count as a choice.
        value=[],
        placeholder="All",
        searchable=True,
        clearable=True,
        clearButtonProps={"aria-label": f"Clear {label}"},
    )


def _values(group: str) -> list[str]:
    found = ask("/api/v1/revenue", {"group_by": group, "sort": group, "limit": MOST_VALUES}).data
    return [row[group] for row in found if row[group]]


def _products(search: str, chosen: Sequence[str]) -> list[dict[str, str]]:
    """Those that the search finds, and those that are chosen already: by id, under their names."""
    # Names for so many of them; the others stand under their ids.
    names = {product_id: product_id for product_id in chosen}
    for words in (search, *chosen[:MOST_NAMED]):
        for row in ask("/api/v1/products", {"search": words or None, "limit": MOST_PRODUCTS}).data:
            if words is search or row["product_id"] in chosen:
                names[row["product_id"]] = f"{row['product_name']} ({row['product_id']})"
    return [{"value": product_id, "label": name} for product_id, name in names.items()]


def _named(choices: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in choices.items()]


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
