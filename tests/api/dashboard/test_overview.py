"""The overview's sections over the six lines, computed by hand (``tests.api.golden_figures``)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.dashboard.browsers import sign_in
from tests.api.dashboard.driving import Pages, found_by_type, rows, words

ALL: dict[str, Any] = {"start_date": None, "end_date": None, "filters": {}, "compare": None, "grain": "month"}
IN_2024 = ALL | {"start_date": "2024-01-01", "end_date": "2024-06-30", "compare": "previous_year"}


@pytest.fixture
def pages(client: StrictClient) -> Pages:
    return Pages(client)


def test_the_head_has_the_six_figures(pages: Pages, golden: int) -> None:
    told = words(pages.section("headline", ALL))
    assert told[:12] == [
        "At a glance",
        "15 Dec 2023 to 18 May 2024, in USD.",
        *(
            "Net revenue",
            "$4,712.57",
            "–",
            "Orders",
            "6",
            "–",
            "Average order value",
            "$785.43",
            "–",
            "Customers",
        ),
    ]
    assert told[12:17] == ["3", "–", "Returns", "$0.00", "–"]


def test_changes_are_told_against_the_compared_range(pages: Pages, golden: int) -> None:
    told = words(pages.section("headline", IN_2024 | {"start_date": "2024-02-01", "end_date": "2024-03-31",
                                                      "compare": "previous_period"}))  # fmt: skip
    assert told[1] == "1 Feb 2024 to 31 Mar 2024, in USD; changes against 1 Dec 2023 to 31 Jan 2024."
    # 143.976 + 180 = 323.976 after 324 + 1299 = 1623: a fifth.
    assert told[2:5] == ["Net revenue", "$323.98", "▼ −80.0%"]


def test_the_trend_has_a_line_and_its_table(pages: Pages, golden: int) -> None:
    section = pages.section("trend", ALL)
    [chart] = found_by_type(section, "LineChart")
    assert [(point["name"], point["now"]) for point in chart["props"]["data"]] == [
        ("Dec 2023", 324.0),
        ("Jan 2024", 1299.0),
        ("Feb 2024", 143.98),
        ("Mar 2024", 180.0),
        ("Apr 2024", 297.49),
        ("May 2024", 2468.1),
    ]
    assert rows(section)[1] == ["Jan 2024", "$1,299.00"]


def test_regions_have_their_share_and_their_bar(pages: Pages, golden: int) -> None:
    section = pages.section("regions", ALL)
    assert rows(section) == [
        ["Asia", "", "$2,612.08", "55.4%", "–"],
        ["Europe", "", "$1,299.00", "27.6%", "–"],
        ["North America", "", "$621.49", "13.2%", "–"],
        ["South America", "", "$180.00", "3.8%", "–"],
    ]


def test_a_filter_narrows_every_section(pages: Pages, golden: int) -> None:
    asia = ALL | {"filters": {"region": ["Asia"]}}
    assert rows(pages.section("categories", asia)) == [
        ["Electronics", "", "$2,468.10", "94.5%", "–"],
        ["Clothing", "", "$143.98", "5.5%", "–"],
    ]
    assert "$2,612.08" in words(pages.section("headline", asia))


def test_the_search_finds_products_by_their_names(pages: Pages, golden: int) -> None:
    found = pages.section("products", ALL, **{"product-search.value": "phone"})
    assert [row[0] for row in rows(found)] == ["iPhone 15 Pro", "Sony WH-1000XM5 Headphones"]
    missing = pages.section("products", ALL, **{"product-search.value": "teapot"})
    assert words(missing) == ["No product's id or name has “teapot” in it."]


def test_every_section_says_where_its_numbers_come_from(pages: Pages, golden: int) -> None:
    section = pages.section("regions", ALL)
    [link] = [part for part in found_by_type(section, "A") if part["props"]["children"] == "CSV"]
    assert link["props"]["href"] == "/api/v1/revenue?group_by=region&format=csv"
    assert pages.client.get(link["props"]["href"]).text.count("\n") == 5
    [button] = found_by_type(section, "Button")
    identity = button["props"]["id"]
    assert identity == {"part": "origin", "title": "By region", "address": "/api/v1/revenue?group_by=region"}


def test_margins_say_so_where_no_cost_is_known(pages: Pages, golden: int) -> None:
    assert "No cost is known for what was sold in this range." in words(pages.section("margins", ALL))


def test_customers_segments_and_cohorts_are_there(pages: Pages, golden: int) -> None:
    # All three bought for the first time in the range, and all three came again.
    returning = rows(pages.section("returning", ALL))
    assert returning[:2] == [["New", "3"], ["Returning", "0"]]
    top = rows(pages.section("top-customers", ALL))
    assert [(row[0], row[2]) for row in top] == [
        ("Sarah Johnson", "$2,648.10"),
        ("Emily Davis", "$1,596.49"),
        ("John Smith", "$467.98"),
    ]
    segments = pages.section("segments", ALL)
    assert sum(int(row[1]) for row in rows(segments)) == 3
    cohorts = pages.section("cohorts", ALL)
    assert rows(cohorts)[0][:5] == ["Dec 2023", "1", "100.0%", "0.0%", "100.0%"]


def test_who_is_limited_to_regions_sees_those_and_is_told_what_cannot_be_told(
    make_client: Callable[..., StrictClient], accounts: Accounts, golden: int
) -> None:
    accounts.add("rita", "viewer", regions=["Asia"])
    pages = Pages(make_client(accounts=True))
    assert sign_in(pages.client, "rita").status_code == 303
    assert "$2,612.08" in words(pages.section("headline", ALL))
    assert [row[0] for row in rows(pages.section("regions", ALL))] == ["Asia"]
    assert "rita is limited to regions, and this cannot be told for some regions alone." in words(
        pages.section("cohorts", ALL)
    )


def test_without_numbers_the_page_says_what_to_do(pages: Pages) -> None:
    page = pages.call("content.children", {"place.pathname": "/"})["response"]["content"]["children"]
    assert "There are no numbers yet" in words(page)
