"""The overview in a real browser, over the six lines of the sample (``tests.api.golden_figures``)."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Screen, Site
from tests.browser.looking import check_accessible, check_fits, picture

pytestmark = pytest.mark.timeout(600)


def open_all(page: Page, url: str, search: str = "?range=all") -> None:
    """Open the overview and wait until its last section has been filled."""
    page.goto(f"{url}/{search}")
    for title in ("At a glance", "Revenue over time", "By region", "Top products", "Segments", "Cohorts"):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=30_000)


def section(page: Page, title: str) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name=title, exact=True))


def test_the_overview_shows_the_figures_on_every_screen(seen: Page, screen: Screen, site: Site) -> None:
    open_all(seen, site.url)
    glance = section(seen, "At a glance")
    for figure in ("$4,712.57", "$785.43", "15 Dec 2023 to 18 May 2024, in USD"):
        expect(glance.get_by_text(figure).first).to_be_visible()
    expect(section(seen, "By region").get_by_role("row", name="Asia")).to_contain_text("$2,612.08")
    expect(section(seen, "Revenue over time").locator("svg.recharts-surface").first).to_be_visible()
    check_accessible(seen)
    check_fits(seen)
    picture(seen, "overview", screen)


def test_a_changed_range_and_filter_stand_in_the_address_which_can_be_sent(
    page: Page, site: Site, open_browser: Callable[..., Page]
) -> None:
    open_all(page, site.url)
    page.get_by_role("combobox", name="Region").or_(page.get_by_label("Region")).first.click()
    page.get_by_role("option", name="Asia").click()
    expect(section(page, "At a glance").get_by_text("$2,612.08").first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Range").first.click()
    page.get_by_role("option", name="Latest month").click()
    # Of May only the order of the 18th, two iPhones less 5 %.
    expect(section(page, "At a glance").get_by_text("$2,468.10").first).to_be_visible()
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"range": ["this_month"], "region": ["Asia"]}
    other = open_browser()
    other.goto(page.url)
    expect(section(other, "At a glance").get_by_text("$2,468.10").first).to_be_visible()


def test_going_back_shows_what_was_shown_before(page: Page, site: Site) -> None:
    open_all(page, site.url)
    page.get_by_label("Range").first.click()
    page.get_by_role("option", name="Latest month").click()
    expect(section(page, "At a glance").get_by_text("1 May 2024 to 18 May 2024").first).to_be_visible()
    page.go_back()
    expect(section(page, "At a glance").get_by_text("$4,712.57").first).to_be_visible()


def test_a_chart_is_a_table_and_a_file_too(page: Page, site: Site) -> None:
    open_all(page, site.url)
    trend = section(page, "Revenue over time")
    trend.get_by_text("As a table").click()
    expect(trend.get_by_role("row", name="Jan 2024")).to_contain_text("$1,299.00")
    with page.expect_download() as download:
        section(page, "By region").get_by_role("link", name="By region: as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 5
    assert "Asia" in lines[1]
    assert "2612.076" in lines[1]


def test_a_number_says_where_it_comes_from(page: Page, site: Site) -> None:
    open_all(page, site.url)
    button = page.get_by_role("button", name="By category: where do these numbers come from?")
    button.click()
    window = page.get_by_role("dialog")
    expect(window).to_contain_text("gross_revenue − discounts − returns")
    expect(window).to_contain_text(re.compile(r"marts\.revenue_(daily|monthly)"))
    expect(window.get_by_role("link", name="as CSV")).to_have_attribute("href", re.compile("^/api/v1/orders"))
    check_accessible(page)
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(button).to_be_focused()


def test_without_a_mouse(page: Page, site: Site) -> None:
    open_all(page, site.url)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Range").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("range="))


def test_products_are_searched_by_name(page: Page, site: Site) -> None:
    open_all(page, site.url)
    page.get_by_label("Find products").fill("phone")
    top = section(page, "Top products")
    expect(top.get_by_role("row")).to_have_count(3)
    expect(top.get_by_role("row", name="iPhone 15 Pro")).to_contain_text("$3,767.10")


def test_what_an_address_has_that_cannot_be_used_is_named(page: Page, site: Site) -> None:
    open_all(page, site.url, "?range=all&colour=red")
    expect(page.get_by_text("Left out of the address, for it cannot be used: colour.")).to_be_visible()
