"""What came in and what became of it: builds, deliveries, and rows in quarantine."""

from collections import Counter
from datetime import datetime
from typing import Any

from dash import html

from api.dashboard.asking import Answered, address_of, ask
from api.dashboard.data.jobs import words
from api.dashboard.parts import Component, card, guarded, nothing, table
from api.dashboard.words import count, day, money
from api.services import services

MOST = 10


@guarded("Freshness")
def freshness() -> Component:
    """How old the numbers are, and how far they reach."""
    found = ask("/api/v1/revenue/total").meta
    built = _moment(found["built_at"])
    told = [
        f"Build {found['build_id']} was published {built}.",
        f"The latest sale is of {day(found['data_as_of'])}."
        if found["data_as_of"]
        else "There is no sale yet.",
    ]
    return card("Freshness", html.P(" ".join(told)), wide=True)


@guarded("Builds")
def builds() -> Component:
    """The newest builds, failed ones too."""
    found = ask("/api/v1/builds", {"limit": MOST})
    currency = services().settings.currency
    rows = [
        [
            str(row["build_id"]),
            row["status"],
            _moment(row["started_at"]),
            _duration(row["started_at"], row["finished_at"]),
            count(row["lines_added"]),
            count(row["lines_removed"]),
            money(row["net_revenue_after"], currency),
            row["message"] or "",
        ]
        for row in found.data
    ]
    columns = [
        *[("Build", False), ("State", False), ("Begun", False), ("Took", True), ("Lines added", True)],
        *[("Lines removed", True), ("Net revenue after", True), ("Message", False)],
    ]
    return _listed("Builds", found, table("Builds", columns, rows))


@guarded("Deliveries")
def batches() -> Component:
    """The newest deliveries."""
    found = ask("/api/v1/batches", {"limit": MOST})
    rows = [
        [
            row["file_name"],
            row["source"],
            row["status"],
            _moment(row["started_at"]),
            _duration(row["started_at"], row["finished_at"]),
            count(row["rows_read"]),
            count(row["rows_accepted"]),
            count(row["rows_quarantined"]),
            row["message"] or "",
        ]
        for row in found.data
    ]
    columns = [
        *[("File", False), ("Source", False), ("State", False), ("Begun", False), ("Took", True)],
        *[("Rows", True), ("Accepted", True), ("Quarantined", True), ("Message", False)],
    ]
    return _listed("Deliveries", found, table("Deliveries", columns, rows))


@guarded("Quarantine")
def quarantine() -> Component:
    """The quarantined rows of the newest deliveries by reason, with the rows themselves as files."""
    found = ask("/api/v1/batches", {"limit": 100})
    totals: Counter[str] = Counter()
    for batch in found.data:
        totals.update(batch["reasons"])
    if not totals:
        return card("Quarantine", nothing("Every row of the last 100 deliveries was accepted."), wide=True)
    by_reason = table(
        "Quarantined rows by reason",
        [("Reason", False), ("Rows", True)],
        [[words(reason), count(rows)] for reason, rows in totals.most_common()],
    )
    files = [
        html.Li(
            [
                html.A(
                    f"{batch['file_name']} (delivery {batch['batch_id']}), {words(reason)}: {count(rows)}",
                    href=address_of(
                        f"/api/v1/batches/{batch['batch_id']}/rejects", {"reason": reason, "format": "csv"}
                    ),
                )
            ]
        )
        for batch in found.data
        for reason, rows in batch["reasons"].items()
    ]
    note = "Of the last 100 deliveries, each row by the first of its reasons."
    download = html.Details([html.Summary("Download the rows"), html.Ul(files)])
    return card("Quarantine", by_reason, download, note=note, wide=True)


def _listed(title: str, found: Answered, shown: Component) -> Component:
    if not found.data:
        return card(title, nothing("None yet."), wide=True)
    all_of_them = html.P(html.A("All of them, as JSON", href=found.address))
    return card(title, shown, all_of_them if found.page["has_more"] else None, wide=True)


def _moment(text: str | None) -> str:
    return "–" if text is None else f"{day(text[:10])}, {text[11:16]} UTC"


def _duration(begun: str | None, ended: str | None) -> Any:
    if begun is None or ended is None:
        return "–"
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()
    return f"{seconds:.1f} s"
