"""What every page has around it: the head with the ways to the other pages, and where the page goes."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from api.access import principal
from api.dashboard.pages import PAGES

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
  <noscript>This page needs JavaScript. Every figure is in the API as well: <a href="/docs">/docs</a>.</noscript>
  {%app_entry%}
  <footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""
_ELSEWHERE = {"Lineage": "/lineage", "API": "/docs"}
# Darker than Mantine's own: small text in them keeps a contrast of 4.5 to 1.
THEME = {
    "primaryColor": "blue",
    "primaryShade": {"light": 8, "dark": 7},
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
            html.A("Skip to the content", href="#content", className="skip"),
            html.Header(
                [
                    html.Span("Tillhouse", className="brand"),
                    html.Nav(
                        [html.A(page.title, href=page.path) for page in PAGES]
                        + [html.A(name, href=path) for name, path in _ELSEWHERE.items()],
                        **{"aria-label": "Pages"},
                    ),
                    _account(),
                ]
            ),
            html.Main(id="content", tabIndex="-1"),
        ],
    )


def register(dash: Dash) -> None:
    """Show the page of the address."""
    pages = {page.path: page for page in PAGES}

    @dash.callback(Output("content", "children"), Input("place", "pathname"))
    def show(path: str) -> Any:
        page = pages.get(path)
        return page.layout() if page else html.P("There is no such page.")


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
