"""Roles: bundles of scopes."""

from typing import Literal, get_args

Scope = Literal["analytics:read", "data:write", "refresh:run", "admin"]
Role = Literal["viewer", "analyst", "editor", "admin"]
Kind = Literal["user", "client"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
ROLES: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset(("analytics:read",)),
    "analyst": frozenset(("analytics:read", "refresh:run")),
    "editor": frozenset(("analytics:read", "refresh:run", "data:write")),
    "admin": frozenset(SCOPES),
}
# What is loaded and refreshed belongs to every region: only a role that reads can be limited to some.
LIMITED_ROLE: Role = "viewer"
