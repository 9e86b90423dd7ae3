"""Pages that need no script: a form, or what went wrong, in words."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from flask import Response, g, render_template
from markupsafe import Markup

from api.access import ANYBODY, LOCAL
from api.problems import Problem

_STYLE = Markup((Path(__file__).parent / "plain.css").read_text(encoding="utf-8"))
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The style is within the page; nothing else is fetched, and forms go nowhere but here.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def plain_page(template: str, **values: object) -> Response:
    """A page made of one of the templates beside this file."""
    body = render_template(template, style=_STYLE, **values)
    response = Response(body, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def problem_page(problem: Problem) -> Response:
    """What went wrong with a page of the dashboard; for ``shown_by``."""
    caller = g.get("principal", ANYBODY)
    name = None if caller in (ANYBODY, LOCAL) else caller.name
    return plain_page("problem.html", title=problem.type.title, detail=problem.detail, signed_in=name)
