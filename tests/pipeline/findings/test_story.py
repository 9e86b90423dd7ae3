"""The sentences of a report. Figures of the six lines are computed by hand, see golden_figures."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipeline.findings import story
from tests.api.published import Line, golden_lines
from tests.pipeline.findings.conftest import Gather, Publish

NO_COST = "No cost is known, so there is no margin to tell."


@pytest.fixture
def golden(publish_lines: Publish) -> int:
    return publish_lines(golden_lines())


def line(order: str, day: str, quantity: int, price: str, **more: object) -> Line:
    return replace(
        Line(order, "P1", date.fromisoformat(day), quantity, Decimal(price), customer_id="C1"),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.usefixtures("golden")
def test_the_last_whole_month_of_the_sample(gathered: Gather) -> None:
    findings = gathered()
    # 297.4915 − 180 = 117.4915; ÷ 180 = 0.65273. 15 % of 349.99 is 52.4985.
    assert story.of_total(findings) == [
        "Net revenue in April 2024 was 297.49 USD, from 1 order.",
        "That is 117.49 USD (65.3 %) more than in March 2024 (180.00 USD).",
        "An order brought 297.49 USD on average (180.00 USD before).",
        "Discounts took 52.50 USD.",
        NO_COST,
    ]
    assert story.of_trend(findings) == [
        "The best day was 22 April 2024, with 297.49 USD.",
        "On 29 of 30 days nothing was sold.",
    ]
    # South America sold in March alone.
    assert [part.name for part in findings.regions] == ["North America", None]
    assert story.of_parts(findings.regions, findings) == [
        "North America brought the most: 297.49 USD, 100.0 % of net revenue."
    ]
    assert story.of_movers(findings) == [
        "Sony WH-1000XM5 Headphones (P234) gained most, 297.49 USD: from 0.00 USD to 297.49 USD.",
        "UltraBoost Running Shoes (P123) lost most, 180.00 USD: from 180.00 USD to 0.00 USD.",
    ]
    assert story.of_anomalies(findings) == [
        "No day was far from what its weekday and the weeks around suggest."
    ]
    assert story.of_customers(findings) == [
        "1 customer bought: 0 for the first time, 1 had bought before.",
        "0 ordered more than once (0.0 %).",
        "The number of customers in March 2024 was 1.",
    ]
    assert story.of_segments(findings) == [
        "No segment has more customers than New: 1, 100.0 % of all.",
        "The segment New brought the most, 297.49 USD.",
    ]


@pytest.mark.usefixtures("golden")
def test_all_of_the_sample(gathered: Gather) -> None:
    findings = gathered("2023-12-15")
    assert story.of_total(findings) == [
        "Net revenue from 15 December 2023 to 18 May 2024 was 4,712.57 USD, from 6 orders.",
        "There is nothing earlier to compare it with.",
        "An order brought 785.43 USD on average.",
        "Discounts took 254.39 USD.",
        NO_COST,
    ]
    # From the week of 11 December on there are 23; the six orders are of six of them.
    assert story.of_trend(findings) == [
        "The best week was the week of 13 May 2024, with 2,468.10 USD.",
        "In 17 of 23 weeks nothing was sold.",
    ]
    assert story.of_parts(findings.regions, findings) == [
        "Asia brought the most: 2,612.08 USD, 55.4 % of net revenue.",
        "Next come Europe with 27.6 % and North America with 13.2 %.",
    ]
    assert story.of_parts(findings.products, findings)[0] == (
        "iPhone 15 Pro (P456) brought the most: 3,767.10 USD, 79.9 % of net revenue."
    )
    assert story.of_movers(findings) == ["There is no earlier period, so no product gained or lost."]
    assert story.of_anomalies(findings) == [
        "2 days were far from what their weekday and the weeks around suggest.",
        "The farthest was 18 May 2024: 2,468.10 USD, where 0.00 USD was to be expected.",
    ]
    assert story.of_customers(findings) == [
        "3 customers bought: 3 for the first time, 0 had bought before.",
        "3 ordered more than once (100.0 %).",
    ]
    assert story.of_parts(findings.top_customers, findings) == [
        "Sarah Johnson (C101) brought the most: 2,648.10 USD, 56.2 % of net revenue.",
        "Next come Emily Davis (C789) with 33.9 % and John Smith (C456) with 9.9 %.",
    ]


@pytest.mark.usefixtures("golden")
def test_where_the_data_does_not_reach_it_is_said(gathered: Gather) -> None:
    # 4388.5675 − 324 = 4064.5675; ÷ 324 = 12.54496…
    assert story.of_total(gathered("2024-01-01", "2024-12-31")) == [
        "Net revenue in 2024 was 4,388.57 USD, from 5 orders.",
        "That is 4,064.57 USD (1,254.5 %) more than in 2023 (324.00 USD).",
        "The earlier period is not whole: the data begins on 15 December 2023.",
        "An order brought 877.71 USD on average (324.00 USD before).",
        "Discounts took 218.39 USD.",
        NO_COST,
        "The data ends on 18 May 2024, earlier than the period.",
    ]
    assert story.of_total(gathered("2023-12-01", "2023-12-31"))[-1] == (
        "The data begins on 15 December 2023, later than the period."
    )


@pytest.mark.usefixtures("golden")
def test_one_day_beside_a_day_without_sales(gathered: Gather) -> None:
    findings = gathered("2024-05-18", "2024-05-18")
    assert story.of_total(findings)[:3] == [
        "Net revenue on 18 May 2024 was 2,468.10 USD, from 1 order.",
        "That is 2,468.10 USD more than on 17 May 2024 (0.00 USD).",
        "An order brought 2,468.10 USD on average.",
    ]


@pytest.mark.usefixtures("golden")
def test_a_period_without_sales(gathered: Gather) -> None:
    findings = gathered("2024-04-01", "2024-04-10")
    assert story.of_total(findings) == [
        "There were no sales from 1 April 2024 to 10 April 2024.",
        "That is as much as from 22 March 2024 to 31 March 2024.",
    ]
    assert story.of_customers(findings) == ["Nobody bought."]
    assert (findings.regions, findings.products, findings.movers) == ([], [], [])
    after = gathered("2030-01-01", "2030-01-31")
    assert (after.trend, after.segments[0]["customers"]) == ([], 0)
    assert story.of_total(after)[-1] == "The data ends on 18 May 2024, earlier than the period."


def test_more_came_back_than_was_sold(publish_lines: Publish, gathered: Gather) -> None:
    publish_lines(
        [
            line("1", "2024-01-01", 3, "10.00"),
            line("2", "2024-02-01", 1, "10.00", region="Asia"),
            line("3", "2024-02-29", -2, "10.00", region="Europe"),
        ]
    )
    findings = gathered()
    assert story.of_total(findings) == [
        "Net revenue in February 2024 was −10.00 USD, from 1 order.",
        "More came back than was sold.",
        "That is 40.00 USD (133.3 %) less than in January 2024 (30.00 USD).",
        "An order brought −10.00 USD on average (30.00 USD before).",
        "Returns took 20.00 USD.",
        NO_COST,
    ]
    assert story.of_parts(findings.regions, findings) == [
        "Asia brought the most, 10.00 USD.",
        "Of a total that is not above 0, shares mean nothing.",
    ]


def test_after_less_than_nothing_there_is_no_percentage(publish_lines: Publish, gathered: Gather) -> None:
    publish_lines([line("1", "2024-01-01", -1, "10.00"), line("2", "2024-02-29", 1, "5.00")])
    assert story.of_total(gathered())[:2] == [
        "Net revenue in February 2024 was 5.00 USD, from 1 order.",
        "That is 15.00 USD more than in January 2024 (−10.00 USD).",
    ]


def test_a_margin_is_told_of_what_is_known(publish_lines: Publish, gathered: Gather) -> None:
    publish_lines(
        [
            line("1", "2024-01-01", 3, "10.00", unit_cost=Decimal("4.00")),
            line("2", "2024-01-31", 1, "10.00", customer_id=None),
        ]
    )
    findings = gathered()
    # 30 − 12, over 30 of 40.
    assert story.of_total(findings)[-1] == (
        "The margin was 18.00 USD, over 75.0 % of net revenue, whose cost is known."
    )
    assert [part.name for part in findings.top_customers] == ["C1"]


def test_orders_without_customers_are_said_to_name_none(publish_lines: Publish, gathered: Gather) -> None:
    publish_lines([line("1", "2024-01-01", 1, "1.00", customer_id=None)])
    findings = gathered()
    assert story.of_customers(findings) == ["No customer is known: the orders name none."]
    assert findings.top_customers == []


def test_the_weakest_whole_bucket_is_named_where_all_have_sales(
    publish_lines: Publish, gathered: Gather
) -> None:
    days = ("2024-01-01", "2024-01-02", "2024-01-03")
    publish_lines(
        [line(day, day, 1, price) for day, price in zip(days, ("2.00", "1.00", "3.00"), strict=True)]
    )
    assert story.of_trend(gathered()) == [
        "The best day was 3 January 2024, with 3.00 USD.",
        "The weakest day was 2 January 2024, with 1.00 USD.",
    ]


def test_more_groups_than_have_a_row_are_told_in_sum(publish_lines: Publish, gathered: Gather) -> None:
    lines = [
        line(str(number), "2024-01-01", 1, "10.00", product_id=f"P{number:02}", customer_id=f"C{number}")
        for number in range(12)
    ]
    publish_lines(lines)
    findings = gathered()
    assert [part.name for part in findings.products] == [*(f"P{number:02}" for number in range(10)), None]
    assert findings.products[-1].net_revenue == Decimal(20)
    assert story.of_parts(findings.products, findings) == [
        "P00 brought the most: 10.00 USD, 8.3 % of net revenue.",
        "Next come P01 with 8.3 % and P02 with 8.3 %.",
        "The first 10 brought 83.3 %, all others 16.7 %.",
    ]
    assert len(findings.top_customers) == 10
