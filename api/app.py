"""The application: what is wired to what."""

from random import getrandbits
from uuid import UUID

from apiflask import APIFlask
from flask import Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import access, audit, documented, hosts, limits, observing, parameters, problems
from api.cache import Cache
from api.dagster import Dagster
from api.dashboard import sign_in
from api.database import Database
from api.resources import (
    anomalies,
    auth,
    batches,
    builds,
    customer_analyses,
    customers,
    definitions,
    docs,
    exports,
    findings,
    health,
    imports,
    metrics,
    orders,
    products,
    refreshes,
    revenue,
)
from api.server import MAX_BODY_BYTES
from api.services import KEY, Services
from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls

DESCRIPTION = (
    "Revenue answers that can be trusted. Money is a string with the exact decimal, ratios have six digits, "
    "dates are inclusive, and every answer names the build that its numbers come from."
)

BLUEPRINTS = (
    revenue.blueprint,
    anomalies.blueprint,
    products.blueprint,
    customers.blueprint,
    customer_analyses.blueprint,
    orders.blueprint,
    refreshes.shortcut,
    refreshes.blueprint,
    imports.blueprint,
    exports.blueprint,
    batches.blueprint,
    builds.blueprint,
    findings.blueprint,
    definitions.blueprint,
    auth.blueprint,
    sign_in.blueprint,
    health.blueprint,
    metrics.blueprint,
    docs.blueprint,
)


def create_app(settings: Settings, urls: DatabaseUrls, dagster: Dagster | None = None) -> APIFlask:
    """The WSGI application; it connects to nothing before the first request."""
    app = APIFlask("api", title="Tillhouse", version="v1", docs_path=None, spec_path=None, static_folder=None)  # type: ignore[arg-type]
    app.description = DESCRIPTION
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        SERVERS=[{"url": "/"}],
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
    )
    app.url_map.merge_slashes = False
    if settings.proxies:
        hops = settings.proxies
        # Not the host: the one that the proxy asks for is checked.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.extensions[KEY] = Services(
        settings, Database(settings, urls), dagster or Dagster(settings.dagster_url), Cache(settings)
    )
    app.before_request(_name_request)
    observing.register(app)
    hosts.register(app, settings)
    limits.register(app, settings)
    access.register(app, settings)
    audit.register(app)
    parameters.register(app)
    problems.register(app)
    documented.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.after_request(_protect)
    return app


def close(app: APIFlask) -> None:
    """Close the connections of an app."""
    found: Services = app.extensions[KEY]
    found.database.close()
    found.dagster.close()


def _name_request() -> None:
    # A caller's own id is taken when it is of the form of ours: it goes into logs and run tags.
    try:
        g.request_id = str(UUID(request.headers["X-Request-Id"]))
    except (KeyError, ValueError):
        # It is no secret; a system call for it would make the threads wait for each other.
        g.request_id = str(UUID(int=getrandbits(128), version=4))


def _protect(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if response.is_json:
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
