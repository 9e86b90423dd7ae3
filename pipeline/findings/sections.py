"""The sections of a report: what is told, drawn and tabled in each."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.findings import story, tables
from pipeline.findings.gathering import Findings, Part, label
from pipeline.findings.tables import Table
from pipeline.findings.wording import bucket_mark, segment


@dataclass(frozen=True)
class Section:
    """A heading with sentences, a chart and tables; ``name`` is its id in the page."""

    name: str
    title: str
    sentences: Sequence[str]
    chart: Markup | None = None
    tables: Sequence[Table] = ()


def sections_of(findings: Findings) -> list[Section]:
    """The sections, in order; what there is nothing to tell of is left out."""
    made = [Section("total", "In short", story.of_total(findings), tables=[tables.figures(findings)])]
    if len(findings.trend) > 1:
        made.append(_trend(findings))
    for name, title, first, found in (
        ("regions", "Regions", "Region", findings.regions),
        ("categories", "Categories", "Category", findings.categories),
        ("products", "Products", "Product", findings.products),
    ):
        if any(part.name is not None for part in found):
            made.append(_parts(name, title, first, found, findings))
    made.append(_movers(findings))
    if findings.trend:
        made.append(_anomalies(findings))
    made.append(_customers(findings))
    if findings.top_customers:
        title = "Customers who brought the most"
        made.append(_parts("top-customers", title, "Customer", findings.top_customers, findings))
    if any(row["customers"] for row in findings.segments):
        made.append(_segments(findings))
    return made


def _trend(findings: Findings) -> Section:
    days = {row["sale_date"] for row in findings.anomalies}
    is_daily = findings.grain == "day"
    marked = [
        place for place, row in enumerate(findings.trend) if is_daily and row["bucket"]["start_date"] in days
    ]
    description = "A bar for each " + findings.grain
    description += "; a triangle marks a day out of the ordinary." if marked else "."
    chart = _drawn_over_time(
        f"Net revenue by {findings.grain}",
        description,
        [
            (bucket_mark(row["bucket"]["start_date"], findings.grain), float(row["net_revenue"]))
            for row in findings.trend
        ],
        marked,
    )
    return Section("trend", "Over time", story.of_trend(findings), chart, [tables.trend(findings)])


def _parts(name: str, title: str, first: str, found: Sequence[Part], findings: Findings) -> Section:
    # All others together would dwarf the ones that are told apart.
    values = [(part.name, float(part.net_revenue)) for part in found if part.name is not None]
    caption = f"Net revenue by {first.lower()}"
    description = f"A bar for each {first.lower()}, the largest first."
    if len(values) < len(found):
        description += " All others are in the table alone."
    chart = _drawn_bars(name, caption, description, values)
    table = tables.parts(caption, first, found, findings)
    return Section(name, title, story.of_parts(found, findings), chart, [table])


def _movers(findings: Findings) -> Section:
    sentences = story.of_movers(findings)
    if not findings.movers:
        return Section("movers", "Gains and losses", sentences)
    values = [(label(row["product"]), float(row["difference"])) for row in findings.movers]
    chart = _drawn_bars(
        "movers",
        "Change of net revenue by product",
        "A bar for each product: to the right for a gain, to the left for a loss.",
        values,
    )
    return Section("movers", "Gains and losses", sentences, chart, [tables.movers(findings)])


def _anomalies(findings: Findings) -> Section:
    found = [tables.anomalies(findings)] if findings.anomalies else []
    return Section("anomalies", "Days out of the ordinary", story.of_anomalies(findings), tables=found)


def _customers(findings: Findings) -> Section:
    found = [tables.customers(findings)] if findings.customers["customers"] else []
    return Section("customers", "Customers", story.of_customers(findings), tables=found)


def _segments(findings: Findings) -> Section:
    rows = [row for row in findings.segments if row["customers"]]
    chart = _drawn_bars(
        "segments",
        "Customers by segment",
        "A bar for each segment that has customers.",
        [(segment(row["segment"]), float(row["customers"])) for row in rows],
    )
    return Section("segments", "Segments", story.of_segments(findings), chart, [tables.segments(findings)])


def _drawn_bars(name: str, title: str, description: str, values: Sequence[tuple[str, float]]) -> Markup:
    # It brings in matplotlib, which takes a moment that nobody else has to wait for.
    from pipeline.findings.charts import bars

    return bars(f"chart-{name}", title, description, values)


def _drawn_over_time(
    title: str, description: str, values: Sequence[tuple[str, float]], marked: Sequence[int]
) -> Markup:
    from pipeline.findings.charts import over_time

    return over_time("chart-trend", title, description, values, marked)
