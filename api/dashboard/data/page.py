"""The data page itself."""

from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, ctx, dcc, html, no_update

from api.access import principal
from api.dashboard.asking import Refused, post
from api.dashboard.data import activity, jobs
from api.dashboard.parts import Component, nothing, refused

_ADDRESS = "data-address"
_EVERY_MILLISECONDS = 1000
_JOBS = {"refresh": jobs.refresh, "import": jobs.upload}


def layout() -> Component:
    """What came in, and what the caller may do about it."""
    may = principal().scopes
    return html.Div(
        [
            dcc.Location(id=_ADDRESS, refresh=False),
            html.H1("Data"),
            html.Div(
                [
                    dmc.Button("Refresh", id="refresh") if "refresh:run" in may else None,
                    html.A("Upload files", href="/upload") if "data:write" in may else None,
                    _dagster_link(),
                    html.Div(id="refresh-refused", role="status"),
                ],
                className="actions",
            ),
            html.Div(id="job"),
            dcc.Interval(id="tick", interval=_EVERY_MILLISECONDS, disabled=True),
            html.Div(id="activity", className="cards"),
        ]
    )


def register(dash: Dash) -> None:
    """Start refreshes, follow the job that the address names, and show what it has changed."""

    @dash.callback(
        Output(_ADDRESS, "search", allow_duplicate=True),
        Output("refresh-refused", "children"),
        Input("refresh", "n_clicks"),
        prevent_initial_call=True,
    )
    def start(clicks: int | None) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            return f"?refresh={post('/refresh')['id']}", None
        except Refused as refusal:
            return no_update, refused(refusal)

    @dash.callback(
        Output(_ADDRESS, "search", allow_duplicate=True),
        Output("refresh-refused", "children", allow_duplicate=True),
        Input({"part": "load", "import": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def load(clicks: list[int | None]) -> Any:
        if not any(clicks):
            return no_update, no_update
        try:
            loaded = post(f"/api/v1/imports/{ctx.triggered_id['import']}/load")
            return f"?import={loaded['id']}", None
        except Refused as refusal:
            return no_update, refused(refusal)

    @dash.callback(
        Output("job", "children"),
        Output("tick", "disabled"),
        Output("activity", "children"),
        Input(_ADDRESS, "search"),
        Input("tick", "n_intervals"),
    )
    def follow(search: str, ticks: int | None) -> Any:
        shown, is_over = _job(search or "")
        has_begun = ctx.triggered_id != "tick"
        return shown, is_over, _activity() if is_over or has_begun else no_update


def _dagster_link() -> Component:
    address = jobs.dagster_address()
    return html.A("Runs and schedules, in the Dagster UI", href=address) if address else None


def _job(search: str) -> tuple[Component, bool]:
    """The job that the address names, and whether there is nothing more to wait for."""
    for name, values in parse_qs(search.removeprefix("?")).items():
        if name in _JOBS:
            try:
                return _JOBS[name](str(UUID(values[0])))
            except ValueError:
                return nothing(f"The address names no {name}."), True
    return None, True


def _activity() -> list[Component]:
    return [activity.freshness(), activity.builds(), activity.batches(), activity.quarantine()]
