"""The report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from psycopg import Connection

from pipeline.answers.dates import DateRange
from pipeline.findings import tables
from pipeline.findings.definitions import DEFINITIONS
from pipeline.findings.gathering import Findings, gather
from pipeline.findings.sections import sections_of
from pipeline.findings.wording import named

_environment = Environment(
    loader=PackageLoader("pipeline.findings", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Report:
    """A finished report: its page, its dates, why it has these, and the build of its figures."""

    html: str
    span: DateRange
    why: str
    build_id: int


def make_report(
    connection: Connection,
    start: date | None,
    end: date | None,
    *,
    currency: str,
    time_zone: str,
    made_at: datetime,
) -> Report:
    """The report of these dates (inclusive; without any, of the last whole month of the data).

    All of it is from one snapshot: ``connection`` is in a REPEATABLE READ transaction. ``made_at``
    has a zone.

    Raises:
        QueryError: nothing is published, or the start is after the end.
    """
    findings = gather(connection, start, end, currency=currency, time_zone=time_zone)
    period = findings.period
    return Report(render(findings, made_at), period.span, period.why, findings.build.build_id)


def render(findings: Findings, made_at: datetime) -> str:
    """The page of what was gathered; the same figures and moment give the same page."""
    made = f"{made_at.astimezone(ZoneInfo(findings.time_zone)):%Y-%m-%d %H:%M} {findings.time_zone}"
    return _environment.get_template("page.html").render(
        title=f"Findings: {named(findings.period.span)}",
        why=findings.period.why,
        sections=sections_of(findings),
        definitions=DEFINITIONS.values(),
        source=tables.source(findings, made),
    )
