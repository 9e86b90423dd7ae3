"""The pages mounted on the API's own Flask app."""

from collections.abc import Callable
from typing import Any

from apiflask import APIFlask
from dash import Dash
from flask import Response

from api.access import public, requires
from api.dashboard import frame
from api.dashboard.pages import PAGES
from api.dashboard.sections import explained
from api.parameters import any_query

PREFIX = "/dashboard/"
# Whatever a page needs comes from here; Mantine sets styles of its own inline.
_POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# What every visitor may have: it has nothing of the data.
_STATIC = ("_dash-component-suites", "assets", "_favicon.ico")


def mount(app: APIFlask) -> APIFlask:
    """Add the pages to the API's app; Dash's own routes are under ``PREFIX``."""
    before = set(app.view_functions)
    dash = Dash(
        __name__,
        server=app,
        routes_pathname_prefix=PREFIX,
        requests_pathname_prefix=PREFIX,
        index_string=frame.INDEX,
        title="Tillhouse",
        update_title="",
        suppress_callback_exceptions=True,
        add_log_handler=False,
        enable_mcp=False,
        use_async=False,
    )
    dash.layout = frame.layout
    frame.register(dash)
    explained.register(dash)
    for page in PAGES:
        page.register(dash)
    _declare(app, set(app.view_functions) - before)
    for page in PAGES:
        app.add_url_rule(page.path, f"pages.{page.name}", _page(dash))
    return app


def _declare(app: APIFlask, endpoints: set[str]) -> None:
    """Say of Dash's views what they need; the page that it would answer to any other address is taken away."""
    for endpoint in endpoints:
        view = app.view_functions[endpoint]
        of_everybody = any(name in endpoint for name in _STATIC)
        app.view_functions[endpoint] = _wrapped(view, of_everybody)


def _wrapped(view: Any, of_everybody: bool) -> Any:
    def answer(*args: Any, **names: Any) -> Any:
        return view(*args, **names)

    return any_query(public(answer) if of_everybody else requires("analytics:read")(answer))


def _page(dash: Dash) -> Callable[[], Response]:
    hashes: list[str] = []

    def page() -> Response:
        if not hashes:
            # Known when every callback is, which is at the first request at the latest.
            hashes.extend(dash.csp_hashes())
        response = Response(dash.index(), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY.format(hashes=" ".join(hashes))
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return any_query(requires("analytics:read")(page))
