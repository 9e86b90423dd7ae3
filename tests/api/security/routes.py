"""Every route with who may call it, and a request of it that does something. A new one has to be put here."""

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal

from tests.api.accounts import PASSWORD
from tests.api.import_jobs import LINES
from tests.api.logins import ME, REVOKE, TOKEN

Needs = Literal["nothing", "an account", "analytics:read", "refresh:run", "data:write"]
FORMATS = ("json", "csv", "parquet", "arrow")


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        rule: as Flask knows it; its variables are filled from the test's jobs.
        needs: what a caller must have.
        is_regional: whether it answers callers that are limited to regions.
        status: of the answer to who may call it.
        code: of that answer when it is a problem.
        options: the body.
    """

    method: str
    rule: str
    needs: Needs = "analytics:read"
    is_regional: bool = True
    status: int = 200
    options: dict[str, Any] = field(default_factory=dict)
    code: str | None = None

    @property
    def path(self) -> str:
        """The path with the names of its variables in braces, without their types."""
        return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", self.rule)

    def body(self) -> dict[str, Any]:
        """The arguments of a request; a file that was sent cannot be sent again."""
        files = self.options.get("files")
        if files is None:
            return self.options
        parts = {"file": [(BytesIO(data), name) for name, data in files]}
        return {"data": parts, "content_type": "multipart/form-data"}


def _public(method: str, rule: str, **options: Any) -> Route:
    return Route(method, rule, "nothing", options=options)


def _whole(
    method: str, rule: str, needs: Needs = "analytics:read", status: int = 200, **options: Any
) -> Route:
    return Route(method, rule, needs, is_regional=False, status=status, options=options)


LOGIN = {"grant_type": "password", "username": "someone", "password": PASSWORD}
SIGN_IN = {"username": "someone", "password": PASSWORD}
ROUTES = (
    _public("GET", "/api/v1"),
    _public("GET", "/docs"),
    _public("GET", "/docs/<name>"),
    _public("GET", "/openapi.json"),
    _public("GET", "/lineage"),
    _public("GET", "/healthz"),
    _public("GET", "/readyz"),
    _public("GET", "/problems/<code>"),
    _public("GET", "/api/v1/definitions"),
    _public("POST", TOKEN, data=LOGIN),
    _public("POST", REVOKE, data={"token": "none"}),
    _public("GET", "/sign-in"),
    Route("POST", "/sign-in", "nothing", status=303, options={"data": SIGN_IN}),
    Route("POST", "/sign-out", "nothing", status=303),
    Route("GET", ME, "an account"),
    *(
        Route("GET", f"/api/v1/{name}")
        for name in (
            "revenue", "revenue/total", "revenue/by-product", "revenue/by-category", "revenue/by-region",
            "revenue/trend", "products", "products/top", "products/margins", "customers", "customers/summary",
            "orders", "orders/<path:order_id>", "exports", "exports/<uuid:export_id>",
            "exports/<uuid:export_id>/file",
        )
    ),
    *(
        _whole("GET", f"/api/v1/{name}")
        for name in (
            "revenue/anomalies", "customers/segments", "customers/cohorts", "customers/lifetime-value",
            "batches", "builds", "builds/<int:build_id>", "builds/<int:build_id>/changes", "findings",
            "findings/builds", "findings/builds/<int:build_id>", "refreshes", "refreshes/<uuid:refresh_id>",
        )
    ),
    _whole("GET", "/metrics"),
    _whole("GET", "/api/v1/refreshes/<uuid:refresh_id>/logs", "refresh:run"),
    _whole("GET", "/api/v1/imports", "data:write"),
    _whole("GET", "/api/v1/imports/<uuid:import_id>", "data:write"),
    _whole("GET", "/api/v1/imports/<uuid:import_id>/rejects", "data:write"),
    _whole("GET", "/api/v1/batches/<int:batch_id>/rejects", "data:write"),
    _whole("POST", "/refresh", "refresh:run", 202, json={"full": True}),
    _whole("POST", "/api/v1/refreshes", "refresh:run", 202, json={"sources": ["web"]}),
    _whole("POST", "/api/v1/imports", "data:write", 202, files=[("jan.csv", LINES)]),
    # It was no dry run.
    Route(
        *("POST", "/api/v1/imports/<uuid:import_id>/load", "data:write"),
        is_regional=False,
        status=409,
        code="not_checked",
    ),
    *(
        _whole("POST", f"/api/v1/batches/<int:batch_id>/{change}", "data:write", 202)
        for change in ("void", "restore", "replay")
    ),
    Route("POST", "/api/v1/exports", status=202, options={"json": {"path": "/api/v1/orders"}}),
    # The last ones, for they end what the others ask for.
    _whole("DELETE", "/api/v1/refreshes/<uuid:refresh_id>", "refresh:run", 202),
    _whole("DELETE", "/api/v1/imports/<uuid:import_id>", "data:write", 202),
    Route("DELETE", "/api/v1/exports/<uuid:export_id>", status=202),
)  # fmt: skip
