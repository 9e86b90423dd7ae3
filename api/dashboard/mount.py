"""The pages mounted on the API's own Flask app."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from apiflask import APIFlask
from dash import Dash
from flask import Response

from api.access import page, public, requires
from api.audit import reads_only
from api.dashboard import frame, upload
from api.dashboard.pages import PAGES
from api.dashboard.plain_pages import problem_page
from api.dashboard.sections import explained
from api.parameters import any_query
from api.problems import Problem, shown_by
from api.responses import json_response
from pipeline.accounts.roles import Scope

PREFIX = "/dashboard/"
_TITLE = "Tillhouse"
_SCOPE: Scope = "analytics:read"
# Whatever a page needs comes from here; Mantine sets styles of its own inline.
_POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Where Dash would show its page for any address.
_ANY_PAGE = (PREFIX, f"{PREFIX}<path:path>")
# What every visitor may have: it has nothing of the data.
_STATIC = ("_dash-component-suites", "assets", "_favicon.ico")


def mount(app: APIFlask) -> APIFlask:
    """Add the pages to the API's app; Dash's own routes are under ``PREFIX``."""
    before = set(app.view_functions)
    dash = Dash(
        __name__,
        # Dash takes any Flask app, but says so nowhere.
        server=app,  # type: ignore[arg-type]
        routes_pathname_prefix=PREFIX,
        requests_pathname_prefix=PREFIX,
        index_string=frame.INDEX,
        title=_TITLE,
        on_error=frame.tell,
        update_title="",
        suppress_callback_exceptions=True,
        add_log_handler=False,
        enable_mcp=False,
        use_async=False,
    )
    dash.layout = frame.layout
    frame.register(dash)
    explained.register(dash)
    for shown in PAGES:
        shown.register(dash)
    _declare(app, set(app.view_functions) - before)
    for shown in PAGES:
        app.add_url_rule(shown.path, f"pages.{shown.name}", _page(dash, shown.title))
    app.register_blueprint(upload.blueprint)
    return app


def _declare(app: APIFlask, endpoints: set[str]) -> None:
    """Say of Dash's own views who may have them."""
    for endpoint in endpoints:
        if endpoint in _ANY_PAGE:
            app.view_functions[endpoint] = any_query(public(_no_page))
            continue
        view = app.view_functions[endpoint]
        is_static = any(name in endpoint for name in _STATIC)
        needs = public if is_static else requires(_SCOPE, by_cookie=True, leads=_lead)
        app.view_functions[endpoint] = _own(view, needs)


def _no_page(**_: str) -> Response:
    raise Problem("not_found", "There is no page at this address; the dashboard is at /.")


def _lead(address: str) -> Response:
    """A redraw that has the browser open another page, in the form of Dash's own answers."""
    return json_response({"multi": True, "response": {}, "sideUpdate": {frame.AWAY: {"href": address}}})


def _own(view: Any, declare: Callable[[Any], Any]) -> Any:
    def answer(*args: Any, **names: Any) -> Any:
        return view(*args, **names)

    return reads_only(any_query(declare(answer)))


def _page(dash: Dash, title: str) -> Callable[[], Response]:
    @lru_cache(maxsize=1)
    def policy() -> str:
        # Asked for at the first request: by then every callback is known.
        return _POLICY.format(hashes=" ".join(dash.csp_hashes()))

    def show() -> Response:
        # Dash has one title for all pages.
        text = dash.index().replace(f"<title>{_TITLE}<", f"<title>{title} · {_TITLE}<")  # type: ignore[no-untyped-call]
        response = Response(text, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = policy()
        return response

    declared: Callable[[], Response] = any_query(shown_by(problem_page)(page(_SCOPE)(show)))
    return declared
