"""What every page has around it: the head with the ways to the other pages, and where the page goes."""

import logging
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html, set_props
from flask import g

from api.access import principal
from api.dashboard.asking import Refused
from api.dashboard.pages import PAGES
from api.dashboard.parts import aria, refused

log = logging.getLogger("api")

INDEX = """<!doctype html>
<html lang="en">
<head>
  {%metas%}
  <meta name="color-scheme" content="light dark">
  <title>{%title%}</title>
  <link rel="icon" href="/docs/favicon-32x32.png">
  {%css%}
</head>
<body>
  <noscript>This page needs JavaScript. Every figure is in the API, too: <a href="/docs">/docs</a>.</noscript>
  {%app_entry%}
  <footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""
AWAY = "away"
_ELSEWHERE = {"Lineage": "/lineage", "API": "/docs"}
# Darker than Mantine's own: small text in them keeps a contrast of 4.5 to 1.
THEME = {
    "primaryColor": "blue",
    "primaryShade": 8,
    "fontFamily": "system-ui, sans-serif",
    "defaultRadius": "sm",
    "autoContrast": True,
}


def layout() -> Any:
    """The frame; what is in it comes with the address."""
    return dmc.MantineProvider(
        theme=THEME,
        defaultColorScheme="auto",
        children=[
            dcc.Location(id="place", refresh=False),
            dcc.Location(id=AWAY, refresh=True),
            html.A("Skip to the content", href="#content", className="skip"),
            html.Header(
                [
                    html.Span("Tillhouse", className="brand"),
                    html.Nav(_links(None), id="pages", **aria(label="Pages")),
                    _account(),
                ]
            ),
            html.Div(id="trouble"),
            html.Main(id="content", tabIndex="-1"),
        ],
    )


def register(dash: Dash) -> None:
    """Show the page of the address."""
    pages = {page.path: page for page in PAGES}

    @dash.callback(Output("content", "children"), Output("pages", "children"), Input("place", "pathname"))
    def show(path: str) -> Any:
        page = pages.get(path)
        return page.layout() if page else html.P("There is no such page."), _links(path)


def tell(error: Exception) -> None:
    """Say on the page that something went wrong which no section has told."""
    if not isinstance(error, Refused):
        log.error("request %s failed", g.request_id, exc_info=error)
        words = f"A fault of the service; its log has the details under {g.request_id}."
        error = Refused({"code": "internal_error", "title": "Internal error", "detail": words})
    set_props("trouble", {"children": refused(error)})


def _links(path: str | None) -> list[Any]:
    pages = [
        html.A(page.title, href=page.path, **(aria(current="page") if page.path == path else {}))
        for page in PAGES
    ]
    return pages + [html.A(name, href=address) for name, address in _ELSEWHERE.items()]


def _account() -> Any:
    caller = principal()
    if caller.id is None:
        return html.Span()
    return html.Form(
        [html.Span(caller.name), html.Button("Sign out", type="submit")],
        action="/sign-out",
        method="post",
        className="account",
    )
