"""The pages: their addresses, what is on them, and what they do."""

from collections.abc import Callable
from dataclasses import dataclass

from dash import Dash

from api.dashboard import findings, overview
from api.dashboard.data import page as data
from api.dashboard.parts import Component


@dataclass(frozen=True)
class Page:
    """One page; ``layout`` is asked for at each visit, ``register`` once."""

    name: str
    path: str
    title: str
    layout: Callable[[], Component]
    register: Callable[[Dash], None]


PAGES = (
    Page("overview", "/", "Overview", overview.layout, overview.register),
    Page("findings", "/findings", "Findings", findings.layout, findings.register),
    Page("data", "/data", "Data", data.layout, data.register),
)
