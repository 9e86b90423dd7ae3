"""The pages that come with Tillhouse's parts: Dagster's, the API's documentation, the lineage."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen, Site
from tests.browser.looking import check_fits, picture
from tests.e2e.test_stack import wait_until

pytestmark = pytest.mark.timeout(600)

# A canvas says nothing of what is on it but its points: with a graph it has more colours than its ground.
_IS_DRAWN = """() => [...document.querySelectorAll("canvas")].some(canvas => {
    const points = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let at = 0; at < points.length; at += 4) {
        colours.add(`${points[at]} ${points[at + 1]} ${points[at + 2]}`);
    }
    return colours.size > 3;
})"""


def test_dagster_shows_the_run_of_a_refresh_and_its_log(page: Page, site: Site) -> None:
    [refresh] = site.stack.api.get("/api/v1/refreshes?status=succeeded").json()["data"][-1:]
    page.goto(f"{site.dagster_url}/runs/{refresh['dagster_run_id']}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="refresh", exact=True).first).to_be_visible()
    expect(page.get_by_text("RUN_SUCCESS", exact=True)).to_be_visible()
    expect(page.get_by_text('Finished execution of run for "refresh".')).to_be_visible()


def test_dagster_shows_when_the_next_refreshes_are_due(page: Page, site: Site) -> None:
    page.goto(f"{site.dagster_url}/automation")
    for name in ("daily_refresh", "weekly_full_build", "daily_cleanup"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    for due in ("At 02:00 AM UTC", "At 03:00 AM UTC, only on Sunday", "At 04:30 AM UTC"):
        expect(page.get_by_text(due)).to_be_visible()


def test_the_documentation_shows_its_routes_on_every_screen(seen: Page, site: Site, screen: Screen) -> None:
    seen.goto(f"{site.url}/docs")
    expect(seen.get_by_role("heading", name=re.compile("^Tillhouse"))).to_be_visible()
    expect(seen.get_by_text("/api/v1/revenue/total")).to_be_visible()
    check_fits(seen)
    picture(seen, "docs", screen)


def test_the_lineage_describes_a_mart_and_draws_how_it_comes_to_be(page: Page, site: Site) -> None:
    wait_until(lambda: site.stack.api.get("/lineage").status_code == 200)
    page.goto(f"{site.url}/lineage#!/model/model.tillhouse.revenue_daily")
    expect(page.get_by_role("heading", name="revenue_daily")).to_be_visible()
    expect(page.get_by_text("One row per").first).to_be_visible()
    page.goto(f"{site.url}/lineage#!/overview?g_v=1")
    page.reload()
    expect(page.get_by_text("Lineage Graph").first).to_be_visible()
    page.wait_for_function(_IS_DRAWN)
