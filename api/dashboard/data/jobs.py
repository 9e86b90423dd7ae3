"""A job under way: a refresh with its stages, or an upload with what is wrong with which line."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import html
from flask import request

from api.dashboard.asking import Refused, address_of, ask
from api.dashboard.parts import Component, aria, nothing, refused, table
from api.dashboard.words import count
from api.listening import is_loopback
from api.services import services

IN_FLIGHT = ("queued", "running")
MOST_REJECTS = 100
# What a second try may not meet any more.
_PASSING = ("database_unavailable", "dagster_unavailable", "query_timeout", "rate_limited")
# What Dagster's log says of a step; the only place where it says how far a run is.
_STEP = re.compile(r'(Started|Finished) execution of step "([^"]+)"|Execution of step "([^"]+)" failed')
_LOOKS = {"succeeded": "up", "failed": "down"}


def refresh(refresh_id: str) -> tuple[Component, bool]:
    """A refresh as it is now, and whether it is over."""
    try:
        job = ask(f"/api/v1/refreshes/{refresh_id}").data
        stages = _stages(refresh_id)
    except Refused as refusal:
        return refused(refusal), refusal.code not in _PASSING
    return _card("Refresh", job, [_counts(job), stages]), job["status"] not in IN_FLIGHT


def upload(import_id: str) -> tuple[Component, bool]:
    """An upload or its dry run as it is now, and whether it is over."""
    address = f"/api/v1/imports/{import_id}"
    try:
        job = ask(address).data
        is_over = job["status"] not in IN_FLIGHT
        parts = [_files(job)]
        if is_over:
            parts.append(_rejects(f"{address}/rejects", job))
    except Refused as refusal:
        return refused(refusal), refusal.code not in _PASSING
    if job["dry_run"] and _is_good(job):
        parts.append(dmc.Button("Load these files", id={"part": "load", "import": import_id}, mt="md"))
    return _card("Check" if job["dry_run"] else "Upload", job, parts), is_over


def _card(what: str, job: Mapping[str, Any], parts: list[Component]) -> Component:
    problem = job["problem"]
    told = problem["detail"] if problem else job["message"]
    return html.Section(
        [
            html.H2(
                [
                    f"{what}: ",
                    html.Span(job["status"], className=_LOOKS.get(job["status"], "same")),
                ]
            ),
            html.P(told, role="status") if told else None,
            *parts,
            _run_link(job["dagster_run_id"]),
        ],
        className="card wide",
    )


def _run_link(run_id: str | None) -> Component:
    address = dagster_address()
    if run_id is None or address is None:
        return None
    return html.P(html.A("The run in the Dagster UI", href=f"{address}/runs/{run_id}"))


def dagster_address() -> str | None:
    """Where this browser finds Dagster: on its own machine; how others would reach it is not known here."""
    address = services().settings.dagster_url
    both = (urlsplit(address).hostname, urlsplit(request.host_url).hostname)
    return address if all(is_loopback(host or "") for host in both) else None


def _counts(job: Mapping[str, Any]) -> Component:
    if not job["counts"]:
        return None
    rows = [[name.replace("_", " ").capitalize(), count(number)] for name, number in job["counts"].items()]
    return table("Rows so far", [("What", False), ("Rows", True)], rows)


def _stages(refresh_id: str) -> Component:
    """The steps of its run, as its log tells them; nothing for those who may not read it."""
    try:
        lines = _log(refresh_id)
    except Refused as refusal:
        if refusal.code in ("missing_scope", "dagster_unavailable"):
            return None
        raise
    states: dict[str, str] = {}
    for line in lines:
        found = _STEP.search(line["message"])
        if found:
            begun_or_done = "done" if found[1] == "Finished" else "under way"
            states[found[2] or found[3]] = "failed" if found[3] else begun_or_done
    if not states:
        return nothing("No step has begun yet.")
    items = [html.Li(f"{name.replace('_', ' ')}: {state}") for name, state in states.items()]
    return html.Ol(items, className="stages", **aria(label="Stages"))


def _log(refresh_id: str) -> list[Any]:
    """All lines of the log of a refresh's run so far."""
    lines: list[Any] = []
    cursor = None
    while True:
        found = ask(f"/api/v1/refreshes/{refresh_id}/logs", {"limit": 500, "cursor": cursor})
        lines += found.data
        if not found.page["has_more"]:
            return lines
        cursor = found.page["next_cursor"]


def _is_good(job: Mapping[str, Any]) -> bool:
    """Whether every file was read to its end; a dry run succeeds with refused ones, too."""
    states = {file["status"] for file in job["files"]}
    return job["status"] == "succeeded" and states <= {"checked", "landed", "skipped"}


def _files(job: Mapping[str, Any]) -> Component:
    rows = [
        [
            file["name"],
            file["status"] or "waits",
            count(file["rows_read"]),
            count(file["rows_accepted"]),
            count(file["rows_quarantined"]),
            file["message"] or "",
        ]
        for file in job["files"]
    ]
    columns = [
        *[("File", False), ("State", False), ("Rows", True), ("Accepted", True), ("Not accepted", True)],
        ("Message", False),
    ]
    return table("Files", columns, rows)


def _rejects(address: str, job: Mapping[str, Any]) -> Component:
    found = ask(address, {"limit": MOST_REJECTS})
    if not found.data:
        return nothing("Every row was accepted." if _is_good(job) else "No row is on record.")
    rows = [
        [
            f"{row['file_name']}, line {row['row_number']}",
            ", ".join(map(words, row["reasons"])),
            row["raw_text"],
        ]
        for row in found.data
    ]
    more = f"The first {MOST_REJECTS} of them. " if found.page["has_more"] else ""
    return html.Div(
        [
            html.H3("Rows that were not accepted"),
            html.P([more, html.A("All as CSV", href=address_of(address, {"format": "csv"}))]),
            table(
                "Rows that were not accepted", [("Where", False), ("Why", False), ("The row", False)], rows
            ),
        ]
    )


def words(reason: str) -> str:
    """A reason as it is spoken."""
    return reason.replace("_", " ")
