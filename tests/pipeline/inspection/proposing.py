"""Inspections, and files read by what they propose."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.inspection import Inspection, inspect_file
from pipeline.landing import LandingRequest, check
from pipeline.landing.checker import BatchChecker
from pipeline.landing.opening import open_order_lines
from pipeline.sources import SourceSettings, read_sources

Line = tuple[str, str, date, int, Decimal, Decimal, str]


def inspected(path: Path, source: str = "shop", **known: Any) -> Inspection:
    """The inspection of a file of a source of which this is known."""
    return inspect_file(path, source, SourceSettings(**known), lambda _: None)


def read_by_entry(path: Path, found: Inspection, source: str = "shop", toml: str | None = None) -> list[Line]:
    """The accepted lines of a file that is read by its proposed entry (or this one), pasted into a file."""
    sources = path.parent / "sources.toml"
    sources.write_text(found.sources_toml if toml is None else toml, encoding="utf-8")
    settings = read_sources(sources).get(source, SourceSettings())
    (result,) = check(LandingRequest((path,), source=source, settings=settings), lambda _: None)
    assert result.status == "checked", result.message
    with open_order_lines(path, settings) as file:
        checker = BatchChecker(file.columns, settings)
        lines = [
            row
            for chunk in file.chunks()
            for row in checker.check(chunk).table("order_lines").iter_rows(named=True)
        ]
    assert len(lines) == result.rows_accepted
    return [
        (
            row["order_id"],
            row["product_id"],
            row["sale_day"],
            row["quantity_number"],
            Decimal(row["unit_price"]),
            Decimal(row["discount"]),
            row["region"],
        )
        for row in lines
    ]
