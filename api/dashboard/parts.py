"""The parts that sections are made of: cards, tables, bars, and what an error looks like."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import wraps
from typing import Any

import dash_mantine_components as dmc
from dash import html

from api.dashboard.asking import Answered, Refused
from api.dashboard.words import Change

Component = Any
# The header of a column, and whether it holds figures.
Column = tuple[Component, bool]
# The column of bars says by its length what the next one says in figures.
BAR: Column = (html.Span("Bar", className="hidden"), False)


def card(
    title: str,
    *children: Component,
    of: Answered | None = None,
    data: Component = None,
    note: str | None = None,
    wide: bool = False,
) -> Component:
    """A section with its heading; ``of`` is where its numbers come from, ``data`` its chart as a table."""
    return html.Section(
        [
            html.H2(title),
            *([html.P(note, className="note")] if note else []),
            *children,
            *([html.Details([html.Summary("As a table"), data])] if data is not None else []),
            *([_origin(title, of)] if of else []),
        ],
        className="card wide" if wide else "card",
    )


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Component]]) -> Component:
    """A table whose first column names its rows."""
    head = html.Tr([html.Th(name, scope="col", className=_kind(is_figure)) for name, is_figure in columns])
    body = [
        html.Tr(
            [html.Th(first, scope="row")]
            + [
                html.Td(cell, className=_kind(is_figure))
                for cell, (_, is_figure) in zip(rest, columns[1:], strict=True)
            ]
        )
        for first, *rest in rows
    ]
    return html.Div(
        html.Table([html.Caption(caption, className="hidden"), html.Thead(head), html.Tbody(body)]),
        className="scroll",
        tabIndex="0",
        role="region",
        **aria(label=caption),
    )


def bar(value: str | None, largest: Decimal) -> Component:
    """A bar for a figure beside the largest of its column; the figure itself stands beside it."""
    share = max(Decimal(0), Decimal(value or 0)) / largest if largest > 0 else Decimal(0)
    return html.Div(html.Div(style={"width": f"{share:.1%}"}), className="bar", **aria(hidden="true"))


def changed(change: Change | None) -> Component:
    """A change in a colour and with a sign."""
    if change is None:
        return html.Span("–")
    return html.Span(change.text, className={1: "up", 0: "same", -1: "down"}[change.mood])


def chart(label: str, drawn: Component) -> Component:
    """A drawing; for those who do not see it, its label, and the table below it."""
    return html.Div(
        drawn, role="img", className="chart", **aria(label=f"{label}. The table below has its figures.")
    )


def aria(**names: str) -> dict[str, Any]:
    """Attributes for assistive technology, by their names without ``aria-``."""
    return {f"aria-{name}": value for name, value in names.items()}


def nothing(words: str) -> Component:
    """What a section says when it has no figures."""
    return html.P(words, className="note")


def refused(refusal: Refused) -> Component:
    """An error of the API in words."""
    return dmc.Alert(refusal.detail, title=refusal.title, color="red", variant="outline")


def guarded(title: str) -> Callable[[Callable[..., Component]], Callable[..., Component]]:
    """Let a section show the API's refusal in its place."""

    def decorate(render: Callable[..., Component]) -> Callable[..., Component]:
        @wraps(render)
        def guard(*args: Any) -> Component:
            try:
                return render(*args)
            except Refused as refusal:
                return card(title, refused(refusal))

        return guard

    return decorate


def _origin(title: str, of: Answered) -> Component:
    separator = "&" if "?" in of.address else "?"
    return html.Div(
        [
            html.A("CSV", href=f"{of.address}{separator}format=csv", **aria(label=f"{title}: as CSV")),
            html.Button(
                "Where from?",
                id={"part": "origin", "title": title, "address": of.address},
                type="button",
                **aria(label=f"{title}: where do these numbers come from?"),
            ),
        ],
        className="origin",
    )


def _kind(is_figure: bool) -> str:
    return "figure" if is_figure else "text"
