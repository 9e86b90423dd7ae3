"""Who may call what, in the OpenAPI document: security schemes, scopes, and what is answered to others."""

import re
from typing import Any

from flask import Flask

from api.access import Needs, needs_of

ROLES_OF_SCOPES = {
    "analytics:read": "Read every analysis and the log of activity. Roles: viewer, analyst, editor, admin.",
    "refresh:run": "Start, follow and cancel refreshes. Roles: analyst, editor, admin.",
    "data:write": "Upload files, and see what was quarantined. Roles: editor, admin.",
    "admin": "Everything. Role: admin.",
}
_URLS = {"tokenUrl": "/api/v1/auth/token", "refreshUrl": "/api/v1/auth/token"}
SECURITY_SCHEMES: dict[str, Any] = {
    "oauth2": {
        "type": "oauth2",
        "description": "Only where accounts are on; a service on loopback alone asks for no login.",
        "flows": {
            "password": {**_URLS, "scopes": ROLES_OF_SCOPES},
            "clientCredentials": {"tokenUrl": _URLS["tokenUrl"], "scopes": ROLES_OF_SCOPES},
        },
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A browser that signed in at /sign-in needs none for GET: its cookie is enough.",
    },
}
CHALLENGE = {
    "WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to log in, and what is wrong."}
}

Operation = tuple[str, str]


def needs_of_operations(app: Flask) -> dict[Operation, Needs]:
    """What each operation needs, by its documented path and its method in lower case."""
    return {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method.lower()): needs_of(
            app.view_functions[rule.endpoint]
        )
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def describe(operation: dict[str, Any], needs: Needs, *, is_write: bool) -> list[str]:
    """Put into an operation who may call it; the codes of what others are answered."""
    codes = ["audit_unavailable"] if is_write else []
    if needs.is_public:
        operation["security"] = []
    else:
        scopes = [needs.scope] if needs.scope else []
        operation["security"] = [{"oauth2": scopes}, {"bearer": scopes}]
        codes += ["unauthenticated", "invalid_token"]
        codes += ["missing_scope"] * (needs.scope is not None)
        codes += ["not_regional"] * (not needs.is_regional)
    return codes + ["database_unavailable", "query_timeout"] * bool(codes)
