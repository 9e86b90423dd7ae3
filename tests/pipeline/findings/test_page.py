"""The page: what is in it, that it needs nothing else, and that everybody can read it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from pipeline.findings.page import render
from tests.api.published import Line, golden_lines
from tests.pipeline.findings.conftest import Gather, Publish
from tests.pipeline.findings.pages import Element, elements_of, table, words

MADE_AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
# What would be fetched, run or sent, were it in the page.
REACHING_OUT = {
    "script",
    "link",
    "img",
    "iframe",
    "object",
    "embed",
    "form",
    "base",
    "image",
    "foreignobject",
}
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)>'


@pytest.fixture
def golden(publish_lines: Publish) -> int:
    return publish_lines(golden_lines())


@pytest.mark.usefixtures("golden")
def test_the_page_of_the_sample_has_its_figures(gathered: Gather) -> None:
    elements = elements_of(render(gathered(), MADE_AT))
    [title] = [element.text for element in elements if element.tag == "h1"]
    assert title == "Findings: April 2024"
    text = words(next(element.text for element in elements if element.tag == "body"))
    assert "The period is the last whole month of the data." in text
    assert "That is 117.49 USD (65.3 %) more than in March 2024 (180.00 USD)." in text
    figures = table(elements, "Figures; amounts in USD")
    assert figures[0] == ["Figure", "April 2024", "March 2024", "Change", "Change, %"]
    assert figures[1] == ["Net revenue", "297.49", "180.00", "+117.49", "+65.3 %"]
    assert ["Orders", "1", "1", "0", "0.0 %"] in figures
    assert ["Shipping", "12.00", "8.00", "+4.00", "+50.0 %"] in figures
    assert ["Margin", "–", "–", "–", "–"] in figures
    assert ["Cost coverage", "0.0 %", "0.0 %", "0.0 %", "–"] in figures
    assert table(elements, "Net revenue by region, USD") == [
        ["Region", "Net revenue", "Share", "Before", "Change"],
        ["North America", "297.49", "100.0 %", "0.00", "+297.49"],
        ["All others", "0.00", "0.0 %", "180.00", "−180.00"],
    ]
    assert table(elements, "Products that gained or lost most, USD")[1:] == [
        ["Sony WH-1000XM5 Headphones (P234)", "+297.49", "0.00", "297.49", "–"],
        ["UltraBoost Running Shoes (P123)", "−180.00", "180.00", "0.00", "−100.0 %"],
    ]
    assert table(elements, "New and returning customers")[1:] == [
        ["Customers", "1", "1"],
        ["New customers", "0", "1"],
        ["Returning customers", "1", "0"],
        ["Customers with several orders", "0", "0"],
        ["Share with several orders", "0.0 %", "0.0 %"],
    ]
    days = table(elements, "Net revenue by day, USD")
    assert (len(days), days[22]) == (31, ["22 April 2024", "297.49", "1"])


@pytest.mark.usefixtures("golden")
def test_the_foot_names_where_the_figures_come_from(gathered: Gather) -> None:
    findings = replace(gathered("2024-01-01", "2024-12-31"), time_zone="America/New_York")
    found = dict(table(elements_of(render(findings, MADE_AT)), "Where these figures come from")[1:])
    found.pop("Built at")
    assert found == {
        "Period": "1 January 2024 to 31 December 2024",
        "Why this period": "as asked",
        "Compared with": "2023",
        "Data": "15 December 2023 to 18 May 2024",
        "Build": "1",
        "Time zone": "America/New_York",
        "Currency": "USD",
        "Made at": "2026-11-22 01:30 America/New_York",
    }


@pytest.mark.usefixtures("golden")
def test_the_page_of_all_of_the_sample_tells_of_days_and_segments(gathered: Gather) -> None:
    elements = elements_of(render(gathered("2023-12-15"), MADE_AT))
    assert table(elements, "Days out of the ordinary, USD") == [
        ["Day", "Net revenue", "Expected", "Score"],
        ["3 January 2024", "1,299.00", "0.00", "5.6"],
        ["18 May 2024", "2,468.10", "0.00", "8.3"],
    ]
    assert table(elements, "Segments of the period's customers, USD")[1:] == [
        ["Loyal", "1", "33.3 %", "2,648.10"],
        ["Potential loyalists", "1", "33.3 %", "1,596.49"],
        ["Hibernating", "1", "33.3 %", "467.98"],
    ]
    weeks = table(elements, "Net revenue by week, USD")
    assert weeks[1] == ["week of 11 December 2023 *", "324.00", "1"]
    assert weeks[2] == ["week of 18 December 2023", "0.00", "0"]


@pytest.mark.usefixtures("golden")
def test_the_same_figures_give_the_same_page(gathered: Gather) -> None:
    assert render(gathered(), MADE_AT) == render(gathered(), MADE_AT)


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize(
    "dates", [(), ("2023-12-15",), ("2024-04-01", "2024-04-10"), ("2030-01-01", "2030-01-01")]
)
def test_the_page_needs_nothing_else_and_reads_well(gathered: Gather, dates: tuple[str, ...]) -> None:
    html = render(gathered(*dates), MADE_AT)
    assert html.startswith('<!doctype html>\n<html lang="en">')
    elements = elements_of(html)
    assert not REACHING_OUT & {element.tag for element in elements}
    for element in elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), element
            assert name not in ("src", "srcset", "data", "action"), element
            assert name != "style" or "url(" not in str(value), element
            assert not name.endswith("href") or str(value).startswith("#"), element
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)
    check_accessible(elements)


def check_accessible(elements: list[Element]) -> None:
    """Ids are single and found, headings are in order, tables and charts have names."""
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in elements:
        for name in ("aria-labelledby", "href", "xlink:href"):
            for target in str(element.attributes.get(name) or "").split():
                assert target.removeprefix("#") in ids, target
    levels = [int(element.tag[1]) for element in elements if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    count = sum(element.tag == "table" for element in elements)
    assert count == sum(element.tag == "caption" and bool(element.text) for element in elements)
    assert all(element.attributes["scope"] in ("col", "row") for element in elements if element.tag == "th")
    for element in elements:
        if element.tag == "svg":
            assert element.attributes["role"] == "img"
            assert element.attributes["aria-labelledby"]


def test_names_are_texts_whatever_they_hold(publish_lines: Publish, gathered: Gather) -> None:
    names = {
        "product_name": HOSTILE, "category": "</style><b>bold", "region": "a & b {{ 1 }} $x_1$",
        "customer_name": "靴 \x1b[31m\u202e' onclick='x", "payment_method": HOSTILE,
    }  # fmt: skip
    publish_lines(
        [
            Line(f"{day}", "P<1>", date(2024, 1, day), 1, Decimal(day), customer_id="C1", **names)  # type: ignore[arg-type]
            for day in (1, 2, 31)
        ]
    )
    html = render(gathered(), MADE_AT)
    elements = elements_of(html)
    assert not REACHING_OUT & {element.tag for element in elements}
    assert not any(name.startswith("on") for element in elements for name in element.attributes)
    check_accessible(elements)
    heads = [element.text.strip() for element in elements if element.tag == "th"]
    assert f"{HOSTILE} (P<1>)" in heads
    assert "a & b {{ 1 }} $x_1$" in heads
    assert "</style><b>bold" in heads
    assert any(head.startswith("靴") for head in heads)
    texts = [element.text for element in elements if element.tag == "text"]
    assert '<script>alert("1")<…' in texts
    assert "a & b {{ 1 }} $x_1$" in texts
    assert any(text.startswith("靴 \N{REPLACEMENT CHARACTER}[31m") for text in texts)
