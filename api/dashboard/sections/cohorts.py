"""Cohorts as a heat map, which is a table: how many of those who first bought in a month came again."""

from collections import defaultdict
from decimal import Decimal

from dash import html

from api.dashboard.asked import Asked
from api.dashboard.asking import Answered, address_of, ask_all
from api.dashboard.parts import Component, aria, card, guarded, nothing
from api.dashboard.words import bucket, count, percent

TITLE = "Cohorts"
_ROUTE = "/api/v1/customers/cohorts"
# The newest of them, and the months after the first, that fit on a page; the file has all.
MOST_COHORTS, MOST_MONTHS = 13, 13
# Text keeps its contrast on the strongest colour.
_STRONGEST = Decimal("0.45")


@guarded(TITLE)
def cohorts(asked: Asked) -> Component:
    """Retention by the month of the first order and the months since."""
    # The newest come last, and years of months are more than a page of the answer.
    rows = ask_all(_ROUTE, asked.dates)
    found = Answered(rows, {}, {}, address_of(_ROUTE, asked.dates))
    if not rows:
        return card(TITLE, nothing("No customer bought in this range."), of=found, wide=True)
    grid: dict[str, dict[int, dict[str, str]]] = defaultdict(dict)
    for row in rows:
        grid[row["cohort"]][int(row["months_since"])] = row
    months = range(min(MOST_MONTHS, 1 + max(int(row["months_since"]) for row in rows)))
    shown = sorted(grid)[-MOST_COHORTS:]
    head = [html.Th("First order", scope="col"), html.Th("Customers", scope="col", className="figure")]
    head += [html.Th(f"+{month}", scope="col", className="figure") for month in months]
    body = [
        html.Tr(
            [html.Th(bucket(cohort, "month"), scope="row"), html.Td(_size(grid[cohort]), className="figure")]
            + [_cell(grid[cohort].get(month)) for month in months]
        )
        for cohort in shown
    ]
    drawn = html.Div(
        html.Table(
            [
                html.Caption(
                    "Share of a month's new customers who bought again, by months since", className="hidden"
                ),
                html.Thead(html.Tr(head)),
                html.Tbody(body),
            ],
            className="heat",
        ),
        className="scroll",
        tabIndex="0",
        role="region",
        **aria(label=TITLE),
    )
    note = (
        "Of those who first bought in a month, the share that bought in later ones. Filters change nothing."
    )
    return card(TITLE, drawn, of=found, note=note, wide=True)


def _size(months: dict[int, dict[str, str]]) -> str:
    return count(int(next(iter(months.values()))["cohort_customers"]))


def _cell(row: dict[str, str] | None) -> Component:
    if row is None:
        return html.Td("", className="figure")
    strength = min(_STRONGEST, Decimal(row["retention"]) * _STRONGEST)
    return html.Td(
        percent(row["retention"]),
        className="figure",
        style={"--strength": f"{strength:.0%}"},
        title=f"{count(int(row['customers']))} customers",
    )
