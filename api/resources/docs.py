"""Documentation: the OpenAPI document, a page to try it, the lineage of the models, and links."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, send_file, send_from_directory
from pydantic import BaseModel, ConfigDict

from api.access import public
from api.documented import answers_with
from api.problems import Problem
from api.responses import encode, json_response
from api.services import services
from pipeline.answers.models import Model

blueprint = APIBlueprint("docs", __name__, tag="About")

SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
# Everything the page needs comes from here; Swagger UI sets styles and images of its own inline.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The lineage is one page with its scripts inside; it may reach nothing.
LINEAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HTML: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"description": "A page.", "content": {"text/html": {}}}
}
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Tillhouse API</title>
  <link rel="icon" href="/docs/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="docs"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""


class OpenApi(BaseModel):
    """An OpenAPI 3.1 document."""

    model_config = ConfigDict(extra="allow")

    openapi: str


class Links(Model):
    """Where things are."""

    name: str
    links: dict[str, str]


@blueprint.get("/api/v1", strict_slashes=False)
@answers_with(blueprint, Links)
@public
def get_index() -> Response:
    """Where things are."""
    links = {
        **{
            name: f"/api/v1/{name}"
            for name in (
                "revenue", "products", "customers", "orders", "refreshes", "imports", "exports", "batches",
                "builds", "definitions",
            )
        },
        "dashboard": "/",
        "docs": "/docs",
        "openapi": "/openapi.json",
        "lineage": "/lineage",
        "readiness": "/readyz",
        "metrics": "/metrics",
    }  # fmt: skip
    return json_response({"name": "Tillhouse", "links": links})


@blueprint.get("/openapi.json")
@answers_with(blueprint, OpenApi)
@public
def get_openapi() -> Response:
    """This document."""
    app: Any = current_app
    return json_response(_document(app._get_current_object()))


@blueprint.get("/docs")
@blueprint.doc(responses=HTML)
@public
def get_docs() -> Response:
    """A page to read and to try the API."""
    return _page(Response(PAGE, content_type="text/html; charset=utf-8"), DOCS_POLICY)


@blueprint.get("/docs/<name>")
@blueprint.doc(hide=True)
@public
def get_docs_file(name: str) -> Response:
    """A file of that page."""
    if name == "start.js":
        return Response(START, content_type="text/javascript; charset=utf-8")
    if name not in SWAGGER_FILES:
        raise Problem("not_found", "The documentation has no such file; it is at /docs.")
    return send_from_directory(str(_swagger_folder()), name, max_age=3600)


@blueprint.get("/lineage", strict_slashes=False)
@blueprint.doc(
    responses=HTML,
    extensions={"x-problem-codes": ["lineage_unavailable"]},
)
@public
def get_lineage() -> Response:
    """How every model comes to be: the dbt documentation."""
    page = services().settings.home / "dbt_docs" / "index.html"
    if not page.is_file():
        raise Problem(
            "lineage_unavailable",
            "The next build makes the lineage: load a file, or run `tillhouse refresh --full`.",
        )
    return _page(send_file(page, mimetype="text/html"), LINEAGE_POLICY)


@lru_cache(maxsize=1)
def _document(app: APIFlask) -> bytes:
    # Made once: it takes a while, and anybody may ask for it.
    return encode(app.spec)


def _page(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    return response


def _swagger_folder() -> Path:
    return Path(str(files("flask_swagger_ui") / "dist"))
